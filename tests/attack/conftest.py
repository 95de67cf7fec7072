"""A region of this suite's own: what is done to it no other suite should meet."""

from collections.abc import Iterator

import pytest

from attack.region import Attacked, attacked
from ecm.local.stack import Stack


@pytest.fixture(scope="package")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    """The region, with a child whom the psychology service sees and the custodial establishment doesn't."""
    start = Stack.start(tmp_path_factory.mktemp("attacked"), fresh_ports=True, lease_seconds=5.0)
    with start as stack, attacked(stack) as made:
        yield made
