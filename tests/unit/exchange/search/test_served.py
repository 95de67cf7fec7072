"""The types that are served are those that there are: none is promised that no record yields, none yielded unserved."""

import json

from ecm.exchange.mapping.directory import organization, practitioner
from ecm.exchange.search.parameters import SERVED
from validator.filled import resources


def test_every_type_that_is_served_comes_from_a_record_or_the_directory() -> None:
    directory = [
        organization("example", "la-eastvale", "Invented Council", "local-authority", "XLA01"),
        practitioner("example", "Registered One", "https://fhir.hl7.org.uk/Id/hcpc-number", "PYL00001"),
    ]
    of_records = {json.loads(body)["resourceType"] for _, body in resources()}
    assert of_records | {one.type for one in directory} == set(SERVED)
