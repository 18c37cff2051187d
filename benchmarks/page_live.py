"""Whether the frame loop keeps its pace while ten browsers look at the camera.

    python -m benchmarks.page_live [--rounds 2] [--browsers 10] [--json FILE]

The demo's clip (24 s, 1280x720, 15 frames a second, two visitors) is played at real speed, again and again, in one run
of one daemon: once with nobody looking, once with ten WebSocket clients through the real web process, and so on in
turn. Each client acknowledges every picture at once, as a quick browser does. Daemon, web process and clients are
processes of their own; the clients' work is on the same cores, where in a house it is on other machines. A frame is
late by the time from when it was due to when it had been processed; the soonest one of all counts as being in time.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from facesecure.app import assembly
from facesecure.app.web_api.places import own_place
from facesecure.camera.synthetic.clip import FPS, make_clip
from facesecure.config import FacesecureConfig
from facesecure.domain import Frame
from facesecure.domain.accounts import Role
from facesecure.pipeline.tracker import Track
from facesecure.services import accounts
from facesecure.services.sign_in import Browser, SignIn
from facesecure.storage.store import Store

PASSWORD = "a long way to the garden gate"
OF_A_SESSION = 4
"""Sockets that the page grants one session."""
_SETTLE = 1.0
"""Seconds at the beginning of each part that are not counted: sockets open and close."""


class Parts:
    """The frames of each part, by turns without and with browsers; tells the clients when theirs begins and ends."""

    def __init__(self, length: float, parts: int, clients: subprocess.Popen[str]) -> None:
        self._length, self._clients = length, clients
        self.late: list[list[float]] = [[] for _ in range(parts)]
        self.cpu: list[float] = [0.0] * parts
        self._part, self._began, self._cpu = -1, float("-inf"), 0.0

    def look(self, frame: Frame, tracks: Sequence[Track]) -> None:
        """Note how late ``frame`` is."""
        now, part = time.monotonic(), min(int(frame.taken_at // self._length), len(self.late) - 1)
        if part != self._part:
            self._turn(part, frame.taken_at)
        if frame.taken_at - self._began >= _SETTLE:
            self.late[part].append(now - frame.taken_at)

    def end(self) -> None:
        """Note the end of the last part."""
        self._turn(len(self.late), 0.0)
        earliest = min(map(min, self.late))
        self.late = [[late - earliest for late in part] for part in self.late]

    def _turn(self, part: int, at: float) -> None:
        cpu = time.process_time()
        if self._part >= 0:
            self.cpu[self._part] = cpu - self._cpu
        self._part, self._began, self._cpu = part, at, cpu
        assert self._clients.stdin is not None
        self._clients.stdin.write("look\n" if part % 2 else "rest\n")
        self._clients.stdin.flush()


def measure(rounds: int, browsers: int, folder: Path) -> dict[str, Any]:
    """Return the frames' lateness and the CPU seconds of each part, and how many pictures the clients got."""
    once, film = folder / "once.mp4", folder / "film.mp4"
    make_clip(once)
    length = repeat(once, film, 2 * rounds)
    camera = {"source": f"file:{film}", "file_speed": "real", "idle_decoding": "off"}
    config = FacesecureConfig.model_validate({"camera": camera, "plugins": {"speaker": {"enabled": False}}})
    state_dir = folder / "state"
    tokens = sign_in(state_dir, -(-browsers // OF_A_SESSION))
    port = free_port()
    with (
        assembly.assembled(config, state_dir) as daemon,
        page(port, state_dir),
        clients(port, tokens, browsers) as them,
    ):
        parts = Parts(length, 2 * rounds, them)
        daemon.watch(onlooker=parts.look)
        parts.end()
        pictures = them.communicate()[0]
    return {"late": parts.late, "cpu": parts.cpu, "length": length, "pictures": json.loads(pictures)}


def repeat(once: Path, film: Path, times: int) -> float:
    """Write the film ``once`` to ``film`` so many times in a row, without encoding it again. Return its seconds."""
    import av

    with av.open(str(film), "w", format="mp4") as out, av.open(str(once)) as measured:
        stream: Any = out.add_stream_from_template(measured.streams.video[0])
        length, base = measured.streams.video[0].duration, measured.streams.video[0].time_base
        if not length or not base:
            raise ValueError(f"{once} does not say how long it is")
        for number in range(times):
            with av.open(str(once)) as source:
                for packet in source.demux(video=0):
                    if packet.dts is not None and packet.pts is not None:
                        packet.pts, packet.dts = packet.pts + number * length, packet.dts + number * length
                        packet.stream = stream
                        out.mux(packet)
    return float(length * base)


def sign_in(state_dir: Path, sessions: int) -> list[str]:
    """Return the tokens of so many browsers that are signed in."""
    with Store.open(state_dir) as store:
        door, browser = SignIn(store, 30.0), Browser("127.0.0.1", "benchmark")
        links = [accounts.invite(store, f"kiosk {number}", Role.KIOSK) for number in range(sessions)]
        return [door.accept(link.code, PASSWORD, browser)[0] for link in links]


@contextmanager
def page(port: int, state_dir: Path) -> Iterator[None]:
    """Run the web process."""
    words = ["-m", "facesecure.web", "--host", "127.0.0.1", "--port", port, "--socket", own_place(state_dir)]
    process = subprocess.Popen([sys.executable, *map(str, words)], stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


@contextmanager
def clients(port: int, tokens: Sequence[str], browsers: int) -> Iterator[subprocess.Popen[str]]:
    """Run the clients' process: it looks between the lines "look" and "rest", and ends with its stdin."""
    command = [sys.executable, "-m", "benchmarks.page_live", "--clients", str(browsers), "--port", str(port), *tokens]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=Path(__file__).parents[1])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def run_clients(port: int, tokens: Sequence[str], browsers: int) -> list[float]:
    """Look as stdin says. Return how many pictures a second each browser got, in each part with browsers."""
    rates: list[float] = []
    threads: list[threading.Thread] = []
    ends, counts, began = threading.Event(), [0] * browsers, 0.0
    for line in sys.stdin:
        if threads:
            ends.set()
            for thread in threads:
                thread.join()
            rates.append(sum(counts) / browsers / (time.monotonic() - began))
            threads = []
        if line == "look\n":
            ends, counts, began = threading.Event(), [0] * browsers, time.monotonic()
            for number in range(browsers):
                token = tokens[number % len(tokens)]
                threads.append(threading.Thread(target=_look, args=(port, token, ends, counts, number)))
                threads[-1].start()
    return rates


def _look(port: int, token: str, ends: threading.Event, counts: list[int], number: int) -> None:
    from wsproto import ConnectionType, WSConnection
    from wsproto.events import AcceptConnection, BytesMessage, Request, TextMessage

    with socket.create_connection(("127.0.0.1", port), timeout=0.5) as connection:
        protocol, data = WSConnection(ConnectionType.CLIENT), b""
        headers = [(b"Origin", f"http://localhost:{port}".encode()), (b"Cookie", f"facesecure={token}".encode())]
        connection.sendall(protocol.send(Request(f"localhost:{port}", "/live/socket", extra_headers=headers)))
        while not ends.is_set():
            try:
                protocol.receive_data(connection.recv(262144) or None)
            except TimeoutError:
                continue
            for event in protocol.events():
                if isinstance(event, AcceptConnection):
                    connection.sendall(protocol.send(TextMessage('{"watch": ["front-door"], "width": 1280}')))
                elif isinstance(event, BytesMessage):
                    data += event.data
                    if event.message_finished:
                        head = json.loads(data[4 : 4 + int.from_bytes(data[:4], "big")])
                        counts[number], data = counts[number] + 1, b""
                        seen = json.dumps({"camera": head["camera"], "number": head["number"]})
                        connection.sendall(protocol.send(TextMessage(seen)))


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def show(found: dict[str, Any], browsers: int) -> None:
    """Print each part, and the ratios of those with browsers to those without."""
    seconds, rates = found["length"] - _SETTLE, iter(found["pictures"])
    print(f"the clip has {FPS:g} frames a second; load of the machine {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
    heads = ("browsers", "frames/s", "late, median ms", "19 of 20 ms", "CPU s", "pictures/s each")
    print("{:>8} {:>9} {:>16} {:>12} {:>6} {:>16}".format(*heads))
    rows = []
    for part, late in enumerate(found["late"]):
        ordered = sorted(late)
        row = len(late) / seconds, 1000 * statistics.median(late), 1000 * ordered[int(0.95 * len(ordered))]
        rows.append(row)
        got = f"{next(rates):16.1f}" if part % 2 else ""
        print(f"{browsers * (part % 2):8} {row[0]:9.2f} {row[1]:16.1f} {row[2]:12.1f} {found['cpu'][part]:6.1f} {got}")
    means = [[statistics.mean(row[column] for row in rows[start::2]) for column in range(3)] for start in range(2)]
    pace, median, slow = (with_them / without for without, with_them in zip(*means, strict=True))
    print(f"with browsers against without: pace {pace:.3f}, lateness {median:.2f} (median), {slow:.2f} (19 of 20)")


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--browsers", type=int, default=10)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--clients", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    parser.add_argument("tokens", nargs="*", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.clients:
        print(json.dumps(run_clients(chosen.port, chosen.tokens, chosen.clients)))
        return
    with tempfile.TemporaryDirectory() as name:
        found = measure(chosen.rounds, chosen.browsers, Path(name))
    show(found, chosen.browsers)
    if chosen.json:
        chosen.json.write_text(json.dumps(found))


if __name__ == "__main__":
    main()
