"""The journey's ten steps, in order."""

from ecm.demo.journey import Step
from ecm.demo.steps import afterwards, consenting, formulating, referring, reporting

STEPS = (
    Step("The case manager registers the child and fills in the referral form", referring.register),
    Step("Eligibility, readiness, go-ahead, referral, viability", referring.refer),
    Step("Before consent, psychology finds nothing", consenting.nothing_before),
    Step("Both instruments are signed: psychology sees the referral", consenting.consent),
    Step("Psychology's topic says where to fetch, and nothing else", consenting.events),
    Step("The meeting: the local authority is invited, answers and contributes", formulating.meet),
    Step("Psychology writes map, stage, recommendations and report; it is circulated", reporting.report),
    Step("A review is counted; a protected address disappears", afterwards.review_and_protect),
    Step("The child withdraws", afterwards.withdraw),
    Step("Who saw what", afterwards.account),
)
