"""HAPI FHIR's JPA server as a peer: built by Maven, on the region's own PostgreSQL server in a database of its own."""

import asyncio
import os
import shutil
import subprocess
from pathlib import Path

from benchmarks.database import administering
from benchmarks.servers import AbsentError, Started
from ecm.local.stack import Stack

ROOT = Path(__file__).parents[2]
PROJECT = Path(__file__).parent / "peers" / "hapi"
BUILT = ROOT / "build" / "hapi-peer"
NAME = "peer_hapi"


class Hapi(Started):
    """HAPI FHIR JPA 8.8.0 on Jetty. AbsentError where Java 17 or Maven isn't there, or Maven can't resolve it."""

    def __init__(self, stack: Stack) -> None:
        build()
        password = os.urandom(16).hex()
        asyncio.run(_database(stack, password))
        url = f"jdbc:postgresql://127.0.0.1:{stack.plan.ports['postgres']}/{NAME}"
        classpath = f"{BUILT / 'classes'}:{(BUILT / 'classpath.txt').read_text().strip()}"
        command = ["java", "-Xmx2g", "-Dfile.encoding=UTF-8", "-cp", classpath, "ecm.peer.Main", url, NAME]
        super().__init__("hapi", command, {"HAPI_PASSWORD": password})

    def headers(self) -> dict[str, str]:
        """It would answer a search from the results of the last minute."""
        return {"Cache-Control": "no-cache"}


def build() -> None:
    """By Maven into build/hapi-peer; its repository is `ECM_M2`, else the clone's own."""
    if missing := ", ".join(tool for tool in ("java", "mvn") if shutil.which(tool) is None):
        raise AbsentError(f"it needs Java 17 and Maven; not here: {missing}")
    ready = BUILT / "classpath.txt"
    sources = [PROJECT / "pom.xml", *(PROJECT / "src").rglob("*.*")]
    if ready.exists() and all(path.stat().st_mtime < ready.stat().st_mtime for path in sources):
        return
    repository = os.environ.get("ECM_M2") or ROOT / ".cache" / "m2"
    command = [
        "mvn",
        "-q",
        "-B",
        "-Dstyle.color=never",
        f"-Dmaven.repo.local={repository}",
        "-f",
        str(PROJECT / "pom.xml"),
    ]
    made = subprocess.run(
        [*command, "compile", "dependency:build-classpath"], check=False, stdout=subprocess.PIPE, text=True
    )
    if made.returncode:
        ready.unlink(missing_ok=True)
        raise AbsentError(f"Maven couldn't build it: {' '.join(made.stdout.split())[:300]}")


async def _database(stack: Stack, password: str) -> None:
    """Made anew; the role owns nothing else."""
    async with administering(stack) as sql:
        await sql.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        await sql.execute(f"DROP ROLE IF EXISTS {NAME}")
        await sql.execute(f"CREATE ROLE {NAME} LOGIN PASSWORD '{password}'")
        await sql.execute(f"CREATE DATABASE {NAME} OWNER {NAME}")
