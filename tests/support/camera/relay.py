"""A network between viewer and camera that cuts every connection after some seconds."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Self


class CuttingRelay:
    """Passes TCP connections on to ``port`` of this machine, and cuts each after ``seconds`` (None: never).

    ``seconds`` may be changed while it runs. Example::

        with RtspCamera() as camera, CuttingRelay(camera.port, 3.0) as relay:
            url = camera.url.replace(f":{camera.port}", f":{relay.port}")
            relay.seconds = None
    """

    def __init__(self, port: int, seconds: float | None) -> None:
        self.seconds = seconds
        self.cuts = 0
        self._to = port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                viewer, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._relay, args=(viewer,), daemon=True).start()

    def _relay(self, viewer: socket.socket) -> None:
        began = time.monotonic()
        with viewer, socket.create_connection(("127.0.0.1", self._to)) as camera:
            ends = [
                threading.Thread(target=_copy, args=pair, daemon=True) for pair in ((viewer, camera), (camera, viewer))
            ]
            for end in ends:
                end.start()
            while all(end.is_alive() for end in ends):
                if self.seconds is not None and time.monotonic() - began > self.seconds:
                    self.cuts += 1
                    break
                time.sleep(0.02)
            for end in (viewer, camera):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
