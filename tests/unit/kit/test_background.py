"""Background work never ends in silence: where it fails, so does the process."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from ecm.kit.background import beside


async def failing() -> None:
    await asyncio.sleep(0.01)
    raise ValueError("the consumer can't go on")


async def cancelled_from_within() -> None:
    await asyncio.sleep(0.01)
    raise asyncio.CancelledError


async def serve(work: "asyncio.Future[None] | object") -> None:
    async with AsyncExitStack() as stack:
        await beside(stack, "worker", work)  # type: ignore[arg-type]
        await asyncio.Event().wait()


@pytest.mark.parametrize("work", [failing, cancelled_from_within])
def test_failed_work_ends_the_process(work: object) -> None:
    with pytest.raises(SystemExit) as ended:
        asyncio.run(asyncio.wait_for(serve(work()), 20))  # type: ignore[operator]
    assert ended.value.code == 1


async def test_work_is_ended_with_its_stack_and_the_last_comes_after_it() -> None:
    order: list[str] = []

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            order.append("ended")

    async def last() -> None:
        order.append("last")

    async with AsyncExitStack() as stack:
        await beside(stack, "worker", endless(), last=last)
        await asyncio.sleep(0)
    assert order == ["ended", "last"]
