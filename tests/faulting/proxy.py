"""A TCP proxy that stands between two parts: it holds what passes, one way or both, and says when the answer comes."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from enum import Enum


class Way(Enum):
    """The direction in which bytes pass: from who connected, or back to it."""

    ASKING = "asking"
    ANSWERING = "answering"


BOTH = (Way.ASKING, Way.ANSWERING)


class Proxy:
    """Listens on a free loopback port and forwards to `target` ("host:port"), byte for byte."""

    def __init__(self, target: str = "") -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.target = target
        self._acting = threading.Lock()
        self._open = {way: threading.Event() for way in BOTH}
        self._on_answer: Callable[[], bool] | None = None
        self._sockets: set[socket.socket] = set()
        self._delay = 0.0
        self._rate = 0.0
        self._refusing = False
        self._stranded: set[socket.socket] = set()
        self._closed = threading.Event()
        self._let_pass()
        threading.Thread(target=self._accept, daemon=True).start()

    def hold(self, ways: tuple[Way, ...] = BOTH) -> None:
        """Nothing passes these ways any more until `release`; connections stay open, new ones are taken too."""
        for way in ways:
            self._open[way].clear()

    def release(self) -> None:
        """Everything passes again; what was held is dropped with its connections."""
        self._on_answer = None
        self.cut()
        self._let_pass()

    def resume(self) -> None:
        """Everything passes again, what was held first: the packets were late, no connection is lost."""
        self._let_pass()

    def slow(self, delay: float, rate: float) -> None:
        """Each piece of up to 64 KiB is `delay` seconds late, and passes at `rate` bytes a second; until `release`."""
        self._delay, self._rate = delay, rate

    def strand(self) -> None:
        """What is connected now never hears anything again, not even of an end; new connections pass.

        As where a firewall has forgotten a connection, or the machine behind it is gone.
        """
        self._stranded |= self._sockets

    def refuse(self) -> None:
        """End every connection, and every new one as soon as it is made, until `release` or `resume`."""
        self._refusing = True
        self.cut()

    def cut(self) -> None:
        """End every connection at once, whatever passes; new ones are taken as before."""
        for held in self._sockets - self._stranded:
            _end(held)

    def at_an_answer(self, act: Callable[[], bool]) -> None:
        """Before each answer of the target is forwarded, `act`; once it says true, nothing passes any more."""
        self._on_answer = act

    def close(self) -> None:
        """Stop listening and cut every connection."""
        self._listener.close()
        self._stranded.clear()
        self._closed.set()
        self.cut()
        self._let_pass()

    def _let_pass(self) -> None:
        self._delay = self._rate = 0.0
        self._refusing = False
        for way in BOTH:
            self._open[way].set()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                if self._listener.fileno() < 0:
                    return
                continue
            threading.Thread(target=self._connect, args=(near,), daemon=True).start()

    def _connect(self, near: socket.socket) -> None:
        host, port = self.target.split(":")
        if self._refusing:
            near.close()
            return
        try:
            far = socket.create_connection((host, int(port)))
        except OSError:
            near.close()
            return
        self._sockets |= {near, far}
        threading.Thread(target=self._pump, args=(near, far, Way.ASKING), daemon=True).start()
        threading.Thread(target=self._pump, args=(far, near, Way.ANSWERING), daemon=True).start()

    def _act(self) -> None:
        with self._acting:
            if self._on_answer is not None and self._on_answer():
                self._on_answer = None
                self.hold()

    def _strand_here(self, source: socket.socket) -> None:
        if source in self._stranded:
            self._closed.wait()

    def _pump(self, source: socket.socket, sink: socket.socket, way: Way) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if way is Way.ANSWERING:
                    self._act()
                self._open[way].wait()
                self._strand_here(source)
                if self._rate:
                    time.sleep(self._delay + len(data) / self._rate)
                sink.sendall(data)
        self._strand_here(source)
        _end(source)
        _end(sink)
        # The other way's thread closes the other socket: each may still be read there.
        self._sockets.discard(source)
        source.close()


def _end(held: socket.socket) -> None:
    with contextlib.suppress(OSError):
        held.shutdown(socket.SHUT_RDWR)
