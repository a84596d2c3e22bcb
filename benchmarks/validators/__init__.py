"""Our validator beside HL7's cases, R4's and mCODE's examples, made faults, and HAPI's."""
