"""Care plans of files and folders brought to FHIR servers, each exactly once."""
