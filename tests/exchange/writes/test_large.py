"""A large document, in and out: not on the loop, in statements of their own, and whole in the end."""

import base64
import os
import threading

import pytest

from ecm.exchange.intake import documents
from ecm.exchange.mapping import elements
from ecm.exchange.projection import writing
from exchange.writes.world import COUNCIL
from unit.exchange.intake import posted

CONTENT = os.urandom(900_000)


def contribution(journey):
    made = journey.about(posted.contribution(extension=posted.holds("none")))
    attachment = {"contentType": "application/pdf", "title": "Invented", "data": base64.b64encode(CONTENT).decode()}
    return made | {"content": [{"attachment": attachment}]}


@pytest.fixture
def threads(monkeypatch):
    """Where base64 is read and written."""
    seen: dict[str, set[int]] = {"in": set(), "out": set()}

    def watched(module, name, way):
        does = getattr(module, name)

        def noted(*args):
            seen[way].add(threading.get_ident())
            return does(*args)

        monkeypatch.setattr(module, name, noted)

    watched(documents, "_decoded", "in")
    watched(elements, "encoded", "out")
    return seen


@pytest.fixture
def statements(monkeypatch):
    """How many renditions each statement wrote."""
    written: list[int] = []
    does = writing._renditions

    def noted(news):
        written.append(len(news))
        return does(news)

    monkeypatch.setattr(writing, "_renditions", noted)
    return written


async def test_it_goes_in_and_out_beside_the_loop(journey, threads, statements):
    known = set(journey.inward.owners.held)
    project = journey.inward.projection.project

    async def project_and_open(*args):
        statements.clear()
        await project(*args)
        (record,) = set(journey.inward.owners.held) - known
        await journey.grant(journey.record_grant(record))

    journey.inward.projection.project = project_and_open
    answer = await journey.post(contribution(journey), COUNCIL, prefer="return=representation")
    assert answer.status_code == 201, answer.text[:300]
    assert base64.b64decode(answer.json()["content"][0]["attachment"]["data"]) == CONTENT
    assert threads["in"] and threads["out"]
    assert threading.get_ident() not in threads["in"] | threads["out"]
    assert statements == [1, 1, 2]


@pytest.mark.parametrize(
    ("sizes", "together"),
    [([], [[]]), ([1, 1], [[1, 1]]), ([5, 6, 1, 9, 20, 1], [[5], [6, 1], [9], [20], [1]]), ([20], [[20]])],
)
def test_as_many_in_a_statement_as_are_small(monkeypatch, sizes, together):
    monkeypatch.setattr(writing, "TOGETHER_BYTES", 10)
    news = [writing.New(None, "", b"x" * size, None) for size in sizes]
    assert [[len(new.body) for new in group] for group in writing._grouped(news)] == together
