"""A relay between doors and the hub that can be cut, as a cable is."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


class Relay:
    """Passes connections to ``port`` on to ``target`` of this machine, which is set later, except while it is cut.

    Example::

        relay = Relay()
        relay.target = server.port
        relay.cut()
        relay.mend()
    """

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self.target = 0
        self._cut = threading.Event()
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, name="relay", daemon=True).start()

    def cut(self) -> None:
        """End all connections, and refuse new ones."""
        self._cut.set()
        for each in list(self._open):
            _shut(each)

    def mend(self) -> None:
        """Pass on again."""
        self._cut.clear()

    def close(self) -> None:
        """End for good."""
        self.cut()
        _shut(self._listener)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                self._connect(near)

    def _connect(self, near: socket.socket) -> None:
        try:
            if self._cut.is_set():
                raise ConnectionRefusedError
            far = socket.create_connection(("127.0.0.1", self.target))
        except OSError:
            _shut(near)
            return
        self._open |= {near, far}
        for pair in ((near, far), (far, near)):
            threading.Thread(target=self._pump, args=pair, name="relay", daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        for each in (source, sink):
            self._open.discard(each)
            _shut(each)


def _shut(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
