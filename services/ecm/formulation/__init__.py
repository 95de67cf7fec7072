"""Meeting, timeline, report and circulation of a case (checklist I, J, K)."""
