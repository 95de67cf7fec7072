"""Work on large documents, beside the event loop: what others wait for isn't held up by it."""

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

SMALL_BYTES: Final = 65_536
"""Up to so many it is done at once: a thread would cost more."""

T = TypeVar("T")


async def off_the_loop(size: int, work: Callable[..., T], *args: object) -> T:
    """What `work`, which is about so many bytes, makes of `args`; from a thread where they are many.

    A thread takes turns with the loop between calls, never within one: what goes through many bytes goes in pieces.
    """
    return work(*args) if size <= SMALL_BYTES else await asyncio.to_thread(work, *args)
