"""FHIR R4 datatypes and small rules about them: no clinical meaning, no network."""
