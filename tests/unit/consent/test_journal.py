"""The journal of narrowings: whole lines, on disk, readable after any crash."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from ecm.consent.journal import Journal
from ecm.consent.store.narrowings import Narrowing


def narrowing() -> Narrowing:
    at = datetime(2026, 6, 1, tzinfo=UTC)
    return Narrowing(uuid4(), uuid4(), "WITHDRAWAL", uuid4(), (1, 7), at, None, None, None)


async def written(path: Path, count: int) -> list[UUID]:
    made = [narrowing() for _ in range(count)]
    for one in made:
        await Journal(path).append(one)
    return [one.narrowing_id for one in made]


async def test_what_was_appended_is_read_in_order(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    assert list(Journal(path).ids()) == []
    ids = await written(path, 3)
    assert list(Journal(path).ids()) == ids


async def test_a_line_cut_off_by_a_crash_swallows_neither_the_next_nor_itself_counts(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    ids = await written(path, 2)
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])
    assert list(Journal(path).ids()) == ids[:1]
    later = await written(path, 1)
    assert list(Journal(path).ids()) == [ids[0], *later]
