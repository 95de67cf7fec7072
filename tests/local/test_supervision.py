"""What the supervisor promises: parts come back, nothing is left behind, data stay."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from ecm.admin.errors import OperatorError
from ecm.local.process import Identity
from ecm.local.stack import Stack

PARTS = ("postgres", "kafka", "issuer")


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "state"
    if (tmp_path / "state" / "plan.json").exists():
        Stack.attach(tmp_path / "state").stop()


def identities(stack: Stack) -> dict[str, Identity]:
    return {name: part.process.identity for name, part in stack.state.parts.items() if part.process is not None}


async def remember(stack: Stack, what: str) -> None:
    connection = await asyncpg.connect(stack.database_url("referrals", "owner"))
    await connection.execute("CREATE TABLE IF NOT EXISTS kept (what text)")
    await connection.execute("INSERT INTO kept VALUES ($1)", what)
    await connection.close()


async def kept(stack: Stack) -> list[str]:
    connection = await asyncpg.connect(stack.database_url("referrals", "owner"))
    rows = await connection.fetch("SELECT what FROM kept")
    await connection.close()
    return [row["what"] for row in rows]


async def test_a_killed_part_comes_back_with_its_data(state: Path) -> None:
    with Stack.start(state, parts=PARTS) as stack:
        await remember(stack, "before")
        first = identities(stack)
        for part in PARTS:
            stack.kill(part)
            assert first[part].gone_within(5)
            stack.wait_healthy(part)
        assert await kept(stack) == ["before"]
        assert stack.token(person="case-manager")
        assert all(stack.state.parts[part].restarts >= 1 for part in PARTS)
        assert identities(stack).keys() == set(PARTS)


async def test_everything_killed_at_once_starts_again(state: Path) -> None:
    stack = Stack.start(state, parts=PARTS, detach=True)
    await remember(stack, "before")
    supervisor = stack.state.supervisor
    assert supervisor is not None
    left = identities(stack)
    for identity in (supervisor.identity, *left.values()):
        identity.send(signal.SIGKILL)
    assert supervisor.identity.gone_within(5), "a signal isn't a death yet"
    with Stack.start(state, parts=PARTS) as again:
        assert await kept(again) == ["before"]
        assert again.plan.ports == stack.plan.ports


def test_parts_die_with_a_killed_supervisor(state: Path) -> None:
    stack = Stack.start(state, parts=PARTS, detach=True)
    left = identities(stack)
    assert len(left) == len(PARTS)
    supervisor = stack.state.supervisor
    assert supervisor is not None
    supervisor.identity.send(signal.SIGKILL)
    assert all(identity.gone_within(15) for identity in left.values())


def test_a_stack_dies_with_the_process_that_started_it(state: Path) -> None:
    imports = "import os, signal; from pathlib import Path; from ecm.local.stack import Stack"
    starts = f"Stack.start(Path({str(state)!r}), parts={PARTS!r})"
    script = f"{imports}; {starts}; os.kill(os.getpid(), signal.SIGKILL)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -signal.SIGKILL
    left = identities(Stack.attach(state))
    assert all(identity.gone_within(15) for identity in left.values())


def test_a_reused_pid_is_not_killed(state: Path) -> None:
    """A state file of another boot names a pid that somebody else has now."""
    stack = Stack.start(state, parts=("issuer",))
    stack.stop()
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        text = stack.paths.state_file.read_text().replace(
            '"process": null', f'"process": {{"pid": {bystander.pid}, "started": "old/1"}}'
        )
        assert str(bystander.pid) in text
        stack.paths.state_file.write_text(text)
        with Stack.start(state, parts=("issuer",)):
            assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_two_states_run_side_by_side(tmp_path: Path) -> None:
    parts = ("postgres", "issuer")
    with Stack.start(tmp_path / "one", parts=parts) as one, Stack.start(tmp_path / "two", parts=parts) as two:
        assert set(one.plan.ports.values()).isdisjoint(two.plan.ports.values())
        assert one.token(person="case-manager") != two.token(person="case-manager")


def test_one_state_has_one_supervisor(state: Path) -> None:
    with Stack.start(state, parts=("issuer",)), pytest.raises(OperatorError, match=r"served already.*ecm down"):
        Stack.start(state, parts=("issuer",))


def test_a_taken_port_fails_the_start_and_leaves_nothing(state: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen(1)
        port = other.getsockname()[1]
        with pytest.raises(OperatorError, match=f"Port {port}.*fresh-ports"):
            Stack.start(state, parts=PARTS, ports={"kafka": port})
    assert Stack.attach(state).state.phase == "failed"
    assert identities(Stack.attach(state)) == {}


def test_a_part_that_never_starts_is_named_with_its_last_words(state: Path) -> None:
    environment = {"exchange": {"ECM_REGION_FILE": "/nowhere"}}
    with pytest.raises(OperatorError, match=r"(?s)exchange doesn't start.*ecm logs exchange"):
        Stack.start(state, parts=("exchange",), settings=environment)
    assert identities(Stack.attach(state)) == {}


@pytest.mark.skipif(os.geteuid() != 0, reason="asks what happens to root")
async def test_root_in_a_folder_that_root_alone_may_enter(tmp_path: Path) -> None:
    """PostgreSQL's account reaches its data through an inherited handle: no parent is opened to it."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with Stack.start(closed / ".ecm", parts=("postgres",)) as stack:
        await remember(stack, "inside")
        assert await kept(stack) == ["inside"]
        process = stack.state.parts["postgres"].process
        assert process is not None
        assert psutil.Process(process.pid).uids().real != 0
    for folder in (closed, closed / ".ecm"):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_stopping_is_quick_and_complete(state: Path) -> None:
    stack = Stack.start(state, parts=PARTS)
    left = identities(stack)
    since = time.monotonic()
    stack.stop()
    assert time.monotonic() - since < 8
    assert not any(identity.alive() for identity in left.values())
    assert stack.state.phase == "stopped"
