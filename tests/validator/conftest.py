"""One journey on a whole region, and one start of the validator for all that is asked."""

import pytest

from ecm.demo.partner import Partner
from ecm.local.stack import Stack
from validator.corpus import Corpus, recorded, stored, travel
from validator.findings import Findings
from validator.findings import findings as ask
from validator.hapi import missing_tools


@pytest.fixture(scope="session")
def tools() -> None:
    """Skips where the validator can't run."""
    if missing := missing_tools():
        pytest.skip(f"HL7's validator needs Java 17 and Maven; not here: {missing}")


@pytest.fixture(scope="session")
async def corpus(tools: None, region: Stack) -> Corpus:
    """What the journey left."""
    made = Corpus()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Partner, "request", recorded(made, Partner.request))
        travel(region, made)
    made.stored = await stored(region)
    return made


@pytest.fixture(scope="session")
def findings(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Findings:
    """What the validator says of all of it."""
    return ask(corpus, tmp_path_factory.mktemp("validator"))
