"""Loaded by Python at the start of a service's process of a run, never by the product: the probe, and a mutant.

`BARRIER_PART` names the process, `BARRIER_HANDED` the file for what it handed over, `BARRIER_MUTANT` a file that
holds the name of the fault to be made, or nothing. In any other process none is set, and nothing is done.
"""

import os
from pathlib import Path


def _begin(part: str) -> None:
    if part.startswith("exchange"):
        import probe

        probe.install(Path(os.environ["BARRIER_HANDED"]))
    named = Path(os.environ["BARRIER_MUTANT"])
    mutant = named.read_text(encoding="ascii").strip() if named.exists() else ""
    if mutant:
        import mutants

        mutants.install(mutant)


if os.environ.get("BARRIER_PART") and os.environ.get("BARRIER_MUTANT"):
    _begin(os.environ["BARRIER_PART"])
