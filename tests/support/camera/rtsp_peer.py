"""A scripted RTSP camera, which answers as it is told, also as no real server would."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType
from typing import Self

SDP = (
    b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=door\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
    b"a=fmtp:96 packetization-mode=1;sprop-parameter-sets=Z0LACtoPCJqA,aM4PyA==\r\na=control:track1\r\n"
)


class RtspPeer:
    """Answers every request with 200, or with the status that ``statuses`` names for its method; 0: it hangs up.

    Hangs up after PLAY, too. ``requests`` holds the methods that came. Example::

        with RtspPeer(DESCRIBE="453 Not Enough Bandwidth") as peer:
            probe(peer.url, CameraConfig())
    """

    def __init__(self, sdp: bytes = SDP, **statuses: str) -> None:
        self._sdp = sdp
        self._statuses = statuses
        self._server = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.requests: list[str] = []
        self.url = f"rtsp://127.0.0.1:{self._server.getsockname()[1]}/door"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop. Closed under a thread that accepts, the socket's number could become the next peer's, and be served."""
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._thread.join(60)
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                viewer, _ = self._server.accept()
            except OSError:
                return
            with suppress(ConnectionError), viewer, viewer.makefile("rb") as lines:  # a viewer may go at any time
                self._answer(viewer, lines)

    def _answer(self, viewer: socket.socket, lines: Iterable[bytes]) -> None:
        request: list[bytes] = []
        for line in lines:
            if line.strip():
                request.append(line)
                continue
            method = request[0].split()[0].decode() if request else ""
            self.requests.append(method)
            status = self._statuses.get(method, "200 OK")
            if status == "0":
                return
            viewer.sendall(self._reply(method, status, request))
            if method == "PLAY":
                return
            request = []

    def _reply(self, method: str, status: str, request: list[bytes]) -> bytes:
        number = next(line for line in request if line.lower().startswith(b"cseq")).strip()
        head = [b"RTSP/1.0 " + status.encode(), number]
        body = b""
        if status.startswith("200"):
            if method == "DESCRIBE":
                body = self._sdp
                head += [b"Content-Type: application/sdp", b"Content-Length: %d" % len(body)]
            if method == "SETUP":
                head += [b"Transport: RTP/AVP/TCP;unicast;interleaved=0-1", b"Session: 1"]
        return b"\r\n".join([*head, b"", b""]) + body
