"""HTTP itself, below FHIR: uvicorn in this process, and what bounds its connections."""
