#!/usr/bin/env bash
# The barrier under faults, and the mutants that its checker must find. Clocks step where libfaketime is, or can be had.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! ls /usr/lib/*/faketime/libfaketime.so.1 > /dev/null 2>&1 && command -v apt-get > /dev/null; then
  (apt-get update -qq && apt-get install -y -qq --no-install-recommends libfaketime) > /dev/null 2>&1 \
    || echo "libfaketime can't be installed: no clock steps"
fi
# The mutants' plans without a mutant are for a run by hand: CI has the long run, which is the same without one.
.venv/bin/python -m pytest -m barrier -s tests/barrier -k "not without_a_mutant" < /dev/null
