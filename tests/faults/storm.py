"""Makes the planned faults while a journey goes on: each begins at its command, in the middle of what happens then."""

import threading
from collections.abc import Callable, Sequence

from faults.links import Linked
from faults.schedule import Fault, strike


class Storm:
    """Call `command()` before each of the journey's commands; `over()` at the end."""

    def __init__(self, linked: Linked, planned: Sequence[Fault], say: Callable[[str], None]) -> None:
        self._linked = linked
        self._waiting = list(planned)
        self._say = say
        self._commands = 0
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None

    def command(self) -> None:
        """A command is about to be sent. One fault at a time: the next waits until the one before is over."""
        self._commands += 1
        if self._waiting and self._waiting[0].at_command <= self._commands:
            self._await()
            fault = self._waiting.pop(0)
            self._say(str(fault))
            self._thread = threading.Thread(target=self._strike, args=(fault,))
            self._thread.start()

    def over(self) -> None:
        """Waits for the last fault's end; raises what went wrong in making one. All that were planned have been."""
        self._await()
        if self._waiting:
            raise AssertionError(f"{len(self._waiting)} faults were never made: the journey had fewer commands.")

    def _await(self) -> None:
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._failure is not None:
            raise self._failure

    def _strike(self, fault: Fault) -> None:
        try:
            strike(self._linked, fault)
        except BaseException as error:
            self._failure = error
