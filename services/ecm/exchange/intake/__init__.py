"""Partners' writes: FHIR in, one command of the owning service out."""
