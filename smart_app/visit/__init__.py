"""What a clinician does with one patient: read, draft, accept, send. It knows no page, no Flask."""
