"""The roles and the agency kind that rules name: the kit's words, which a test holds them to, since rules don't import it."""

CASE_MANAGER = "case-manager"
SENIOR_PRACTITIONER = "senior-practitioner"
PSYCHOLOGY = "psychology"
