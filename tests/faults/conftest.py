"""One run for all tests here: a journey through every fault, and the evidence that it left."""

import argparse
import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from faults.evidence import Evidence
from faults.links import linked_region
from faults.run import LEASE_SECONDS, Run, go, parse, patient

SEED = "5"
"""Of the suite; `SEED=` in the environment says another, and `make faults` draws one."""


@dataclass
class Outcome:
    """What the run was told, what it did, what it left."""

    options: argparse.Namespace
    run: Run
    evidence: Evidence


@pytest.fixture(scope="session")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    options = parse(["--seed", os.environ.get("SEED", SEED), "--on-links", "7"])
    print(f"seed {options.seed}")
    with linked_region(tmp_path_factory.mktemp("faults"), lease_seconds=LEASE_SECONDS) as linked, patient():
        run, evidence = go(linked, options, print)
    yield Outcome(options, run, evidence)
