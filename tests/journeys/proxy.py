"""A TCP proxy that stands between two parts: it can hold what passes, and say when the answer comes."""

import contextlib
import socket
import threading
from collections.abc import Callable


class Proxy:
    """Listens on a free loopback port and forwards to `target` ("host:port"), byte for byte."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.target = ""
        self._acting = threading.Lock()
        self._open = threading.Event()
        self._open.set()
        self._on_answer: Callable[[], bool] | None = None
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def hold(self) -> None:
        """Nothing passes any more, in either direction, until `release`; connections stay open."""
        self._open.clear()

    def release(self) -> None:
        """Everything passes again; what was held is dropped with its connections."""
        self._on_answer = None
        self._cut()
        self._open.set()

    def at_an_answer(self, act: Callable[[], bool]) -> None:
        """Before each answer of the target is forwarded, `act`; once it says true, nothing passes any more."""
        self._on_answer = act

    def close(self) -> None:
        """Stop listening and cut every connection."""
        self._listener.close()
        self._cut()

    def _cut(self) -> None:
        for held in self._sockets:
            with contextlib.suppress(OSError):
                held.shutdown(socket.SHUT_RDWR)
        self._sockets.clear()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
                host, port = self.target.split(":")
                far = socket.create_connection((host, int(port)))
            except OSError:
                if self._listener.fileno() < 0:
                    return
                near.close()
                continue
            self._sockets += [near, far]
            threading.Thread(target=self._pump, args=(near, far, False), daemon=True).start()
            threading.Thread(target=self._pump, args=(far, near, True), daemon=True).start()

    def _act(self) -> None:
        with self._acting:
            if self._on_answer is not None and self._on_answer():
                self._on_answer = None
                self.hold()

    def _pump(self, source: socket.socket, sink: socket.socket, answering: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if answering:
                    self._act()
                self._open.wait()
                sink.sendall(data)
        for ended in (source, sink):
            with contextlib.suppress(OSError):
                ended.shutdown(socket.SHUT_RDWR)
