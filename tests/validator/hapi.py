"""HL7's validator, as HAPI ships it: built by Maven, started once for all that is asked."""

import json
import os
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = Path(__file__).parent / "java"
BUILT = ROOT / "build" / "validator"
UK_CORE = "https://fhir.hl7.org.uk/StructureDefinition/UKCore-"


@dataclass(frozen=True, slots=True)
class Asked:
    """One body to validate, as text, and profiles beside the base and those that it claims."""

    key: str
    body: str
    profiles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Issue:
    """What the validator objects to, and where."""

    id: str
    location: str
    message: str

    def __str__(self) -> str:
        return f"{self.location}: {self.message} [{self.id}]"


def missing_tools() -> str:
    """Which of Java and Maven aren't there; empty where both are."""
    return ", ".join(tool for tool in ("java", "mvn") if shutil.which(tool) is None)


def uk_core() -> Path | None:
    """UK Core's definitions (`ECM_UK_CORE`, else beside the repository), where they are given."""
    folder = Path(os.environ.get("ECM_UK_CORE") or ROOT.parent / "shared/fhir/uk-core")
    return folder if folder.is_dir() else None


def errors(asked: Sequence[Asked], definitions: Iterable[Path], folder: Path) -> dict[str, list[Issue]]:
    """By key what the validator calls an error."""
    _build()
    resources, issues = folder / "resources.ndjson", folder / "issues.ndjson"
    lines = (json.dumps({"key": one.key, "body": one.body, "profiles": one.profiles}) for one in asked)
    resources.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    classpath = f"{BUILT / 'classes'}:{(BUILT / 'classpath.txt').read_text().strip()}"
    options = ["-Xmx1g", "-XX:+UseSerialGC", "-Dfile.encoding=UTF-8"]
    command = ["java", *options, "-cp", classpath, "ecm.validator.Main", str(resources), str(issues)]
    subprocess.run([*command, *map(str, definitions)], check=True, stderr=subprocess.PIPE, text=True)
    found: dict[str, list[Issue]] = defaultdict(list)
    for line in issues.read_text(encoding="utf-8").splitlines():
        issue = json.loads(line)
        if issue["severity"] in ("error", "fatal"):
            found[issue["key"]].append(Issue(issue["id"] or "", issue["location"] or "", issue["message"]))
    return found


def _build() -> None:
    """By Maven into build/validator; its repository is `ECM_M2`, else the clone's own."""
    sources = [PROJECT / "pom.xml", *PROJECT.rglob("*.java")]
    ready = BUILT / "classpath.txt"
    if ready.exists() and all(path.stat().st_mtime < ready.stat().st_mtime for path in sources):
        return
    repository = os.environ.get("ECM_M2") or ROOT / ".cache" / "m2"
    command = ["mvn", "-q", "-B", f"-Dmaven.repo.local={repository}", "-f", str(PROJECT / "pom.xml")]
    subprocess.run([*command, "compile", "dependency:build-classpath"], check=True)
