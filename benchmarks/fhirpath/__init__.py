"""Our FHIRPath beside fhirpathpy and fhirpath.js: eight conditions over a patient of 50 entries."""
