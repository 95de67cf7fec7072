"""Further exchange workers beside the one that the supervisor runs: the same program, the same database."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

COMMAND = (sys.executable, "-c", "from ecm.exchange.app import main; main()")
STOP_SECONDS = 20.0


class ExchangeWorker:
    """One of them, started anew whenever it ends."""

    def __init__(self, name: str, environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self._environment = {**os.environ, **environment}
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._keep, daemon=True)

    def start(self) -> None:
        """It serves soon."""
        self._watch.start()

    def stop(self) -> None:
        """For good."""
        self._over.set()
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        self._watch.join(STOP_SECONDS)
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def send(self, number: signal.Signals) -> bool:
        """A signal; False where it isn't running."""
        if self._process is None or self._process.poll() is not None:
            return False
        self._process.send_signal(number)
        return True

    def _keep(self) -> None:
        while not self._over.is_set():
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(COMMAND, env=self._environment, stdout=log, stderr=log)
            self._process.wait()
            time.sleep(0.3)


def family(pid: int) -> list[psutil.Process]:
    """A process and its children, it first."""
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
