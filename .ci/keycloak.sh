#!/usr/bin/env bash
# The journey, the matrix of bad tokens, the claims and ecm keycloak sync against Keycloak itself. Needs Java 17 and
# Maven, by which it is fetched into the clone's own cache.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v java > /dev/null || ! command -v mvn > /dev/null; then
  echo "skipped: Keycloak needs Java 17 and Maven"
  exit 0
fi
ECM_M2="$PWD/.cache/m2" .venv/bin/python -m pytest -m keycloak
