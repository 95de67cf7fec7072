"""The region of the runs, started once."""

from collections.abc import Iterator

import pytest

from barrier.children import prepared
from barrier.ground import standing
from barrier.run import Run


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Three children in a region under the tests' hands."""
    folder = tmp_path_factory.mktemp("barrier")
    for each in (folder, *folder.parents[:2]):
        each.chmod(0o755)
    with standing(folder / "run") as ground:
        yield Run(ground, prepared(ground, 3))
