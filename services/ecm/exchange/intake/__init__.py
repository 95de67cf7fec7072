"""Partners' writes: FHIR in, one command of the owning service out (design §3.8, §5)."""
