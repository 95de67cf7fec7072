"""The region file, read for somebody at a keyboard."""

from pathlib import Path

from ecm.admin.errors import OperatorError
from ecm.kit.region import Region, RegionError, load_region


def read_region(path: Path) -> Region:
    """The region in a file. Raises `OperatorError` with every fault."""
    try:
        return load_region(path)
    except RegionError as error:
        message = f"The region file {path} can't be used:\n{error}"
        raise OperatorError(message, "Correct it, and check it: ecm region check FILE.") from error
