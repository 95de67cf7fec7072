"""The words for roles and agencies that rules use; a test holds them equal to the kit's, which rules don't import."""

CASE_MANAGER = "case-manager"
SENIOR_PRACTITIONER = "senior-practitioner"
PSYCHOLOGY = "psychology"
