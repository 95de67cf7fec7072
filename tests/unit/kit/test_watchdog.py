"""A consumer that stands still is noticed, and one that works is left alone."""

import threading
import time

from ecm.kit.bus.watchdog import Watchdog


def test_standing_still_is_noticed() -> None:
    stuck = threading.Event()
    watchdog = Watchdog("test", stuck.set, seconds=0.3)
    watchdog.start()
    # The event loop needn't turn for it: this blocks the whole thread.
    assert stuck.wait(2)


def test_progress_is_noticed_too() -> None:
    stuck = threading.Event()
    watchdog = Watchdog("test", stuck.set, seconds=0.5)
    watchdog.start()
    for _ in range(10):
        time.sleep(0.1)
        watchdog.progress()
    assert not stuck.is_set()
    watchdog.stop()
    time.sleep(0.8)
    assert not stuck.is_set()
