"""Pictures made to take all memory or time: each is refused in a sentence, or read, in bounded memory."""

from __future__ import annotations

import ast
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from facesecure.domain.errors import ImageError
from facesecure.vision.images.decoding.messages import MEMORY, DecodingError, Limits
from facesecure.vision.images.decoding.process import DecoderProcess, decoder
from facesecure.vision.images.photos import photo_of, read_photo
from support.bombs.pictures import HARMLESS, REFUSED, encoded, picture, png, slow_progressive
from support.faults.table import attack

LIMITS = Limits(24_000_000, 50_000_000, 12)
_ITSELF = 110_000_000
"""Bytes that Python, numpy and OpenCV, or pillow-heif, take without any picture."""
_RESULT = 24_000_000 * 3


def peak(pid: int | str) -> int:
    """The most bytes that a process has had in memory since its peak was last set back."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def set_back(pid: int | str) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


class Peaks:
    """The peaks of this process and of those that decode for it."""

    def __init__(self) -> None:
        self.before, self.highest = 0, 0

    def of(self, act: Callable[[], object]) -> int:
        """Return by how much this process grew at most during ``act``. Peaks of decoders go into ``highest``."""
        processes = [pid for codec in ("opencv", "heif") if (pid := decoder(codec).pid)]  # type: ignore[arg-type]
        for pid in ("self", *processes):
            set_back(pid)
        before, stop = peak("self"), threading.Event()
        watch = threading.Thread(target=self._watch, args=(stop,))
        watch.start()
        try:
            act()
        finally:
            stop.set()
            watch.join()
        self._look()
        return peak("self") - before

    def _watch(self, stop: threading.Event) -> None:
        while not stop.wait(0.005):
            self._look()

    def _look(self) -> None:
        for codec in ("opencv", "heif"):
            pid = decoder(codec).pid  # type: ignore[arg-type]
            with suppress(OSError, StopIteration):  # it has just ended
                self.highest = max(self.highest, peak(pid) if pid else 0)


@pytest.fixture(autouse=True)
def _fresh_decoders() -> Iterator[None]:
    yield
    decoder("opencv").close()
    decoder("heif").close()


@attack(
    "picture bomb",
    how="28 files of some kB, in every format, whose headers show a small picture or claim a huge one: chunk lengths, "
    "16-bit RGBA, tiles, frames and canvases, two headers, lossless and multi-scan JPEG, 3000 scans, second images",
)
def test_every_bomb_is_refused_in_a_sentence_and_in_bounded_memory(tmp_path: Path, saw: Callable[[str], None]) -> None:
    peaks, grown = Peaks(), 0
    for name, make in REFUSED.items():
        path = tmp_path / "bomb.jpg"
        path.write_bytes(make())

        def read(path: Path = path, name: str = name) -> None:
            with pytest.raises(ImageError) as caught:
                read_photo(path)
            assert str(path) in caught.value.message, name
            assert caught.value.hint, name

        grown = max(grown, peaks.of(read))
    assert peaks.highest < _ITSELF + MEMORY
    assert grown < 60_000_000
    path.write_bytes(encoded("png"))
    assert np.array_equal(read_photo(path), picture())
    saw(
        f"{len(REFUSED)} of {len(REFUSED)} refused with a sentence, the next picture read; at most "
        f"{peaks.highest // 1_000_000} MB in the decoder, {grown // 1_000_000} MB more in the process that asked"
    )


@attack(
    "picture with a bomb beside it",
    how="300 MB of zeros as colour profile and as text of a PNG, a huge thumbnail in EXIF, a baseline JPEG of 1.5 "
    "gigapixels, run lengths of 49 megapixels",
)
def test_what_lies_beside_a_picture_costs_nothing(tmp_path: Path, saw: Callable[[str], None]) -> None:
    peaks, grown, decoded = Peaks(), 0, 0
    for make in HARMLESS.values():
        data = make()

        def read(data: bytes = data) -> None:
            nonlocal decoded
            with suppress(ImageError):
                decoded += photo_of(data, "picture").size > 0

        grown = max(grown, peaks.of(read))
    assert photo_of(HARMLESS["JPEG, huge thumbnail"](), "picture").shape == (120, 160, 3)
    assert peaks.highest < _ITSELF + MEMORY
    assert grown < _RESULT + 60_000_000
    saw(f"{decoded} of {len(HARMLESS)} read; at most {peaks.highest // 1_000_000} MB in the decoder")


@attack(
    "picture that takes all time",
    how="20 megapixels in 99 scans, of which 90 refine nearly all of it, with a second of processor time allowed",
)
def test_a_picture_that_takes_all_time_is_ended_and_the_next_is_read(
    tmp_path: Path, saw: Callable[[str], None]
) -> None:
    slow, fine = tmp_path / "slow.jpg", tmp_path / "fine.png"
    slow.write_bytes(slow_progressive())
    fine.write_bytes(encoded("png"))
    one = DecoderProcess("opencv")
    try:
        with slow.open("rb") as file, pytest.raises(DecodingError) as caught:
            one.decode(file.fileno(), Limits(24_000_000, 50_000_000, 12, seconds=1))
        assert caught.value.problem == "slow"
        with fine.open("rb") as file:
            assert np.array_equal(one.decode(file.fileno(), LIMITS), picture())
    finally:
        one.close()
    saw("ended by the kernel after its second; the next picture read")


@attack(
    "decoder taken over",
    how="what code in the decoder process can reach: its environment, its open files, its memory's origin, a new file, "
    "a network",
)
def test_the_decoder_holds_nothing_of_the_process_that_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, saw: Callable[[str], None]
) -> None:
    monkeypatch.setenv("FACESECURE_KEY_FILE", str(tmp_path / "key"))
    (tmp_path / "key").write_bytes(b"k" * 32)
    with (tmp_path / "key").open("rb") as key:
        os.set_inheritable(key.fileno(), True)
        photo_of(encoded("png"), "picture")
        one = decoder("opencv")
        process = Path(f"/proc/{one.pid}")
        held = [str(link.readlink()) for link in (process / "fd").iterdir()]
    assert sum(name.startswith("socket:") for name in held) == 1
    assert {name for name in held if not name.startswith("socket:")} <= {"/dev/null"}
    assert b"FACESECURE" not in (process / "environ").read_bytes()
    limits = (process / "limits").read_text()
    for name in ("Max address space", "Max cpu time"):
        soft = next(line for line in limits.splitlines() if line.startswith(name)).split()[3]
        assert soft.isdecimal(), name
    assert "Max core file size        0" in limits
    if one.protections["offline"]:
        assert (process / "ns" / "net").readlink() != Path("/proc/self/ns/net").readlink()
    saw(
        "no variable or file of the daemon's, a socket only; limits of memory and time"
        + (", without any network" if one.protections["offline"] else "")
        + (", no file can be opened" if one.protections["without_files"] else "")
    )


SHUT_IN = """
import json, os, socket, sys
from facesecure.vision.images.decoding import sandbox
offline = sandbox.leave_network()
sandbox.keep_to_itself(1000)
shut_in = sandbox.deny_files()
tried = []
for act in (
    lambda: open("/etc/hostname").read(),
    lambda: open(sys.argv[1], "w"),
    lambda: os.listdir("/"),
    lambda: socket.create_connection(("127.0.0.1", int(sys.argv[2])), 5),
):
    try:
        act()
        tried.append("done")
    except OSError as error:
        tried.append(type(error).__name__)
sys.stdout.write(json.dumps([offline, shut_in, tried]))
"""


def test_what_is_shut_in_opens_no_file_and_no_connection(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        run = subprocess.run(
            [sys.executable, "-c", SHUT_IN, str(tmp_path / "new"), str(port)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    offline, shut_in, tried = json.loads(run.stdout)
    if shut_in:
        assert tried[:3] == ["PermissionError"] * 3
        assert not (tmp_path / "new").exists()
    if offline:
        assert tried[3] != "done"
    if not (offline or shut_in):
        pytest.skip("this kernel has neither Landlock nor network namespaces for everybody")


def _worked(process: int) -> float:
    """The seconds of processor time that a process has had."""
    user, system = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _end_at_work(one: DecoderProcess, end: signal.Signals) -> None:
    """Send a signal to a decoder when it has worked for 0.2 s."""
    assert one.pid is not None
    before = _worked(one.pid)
    while _worked(one.pid) < before + 0.2:
        time.sleep(0.01)
    os.kill(one.pid, end)


def _stopped(one: DecoderProcess, file: Path, end: signal.Signals) -> str:
    """Send a signal to a decoder in the middle of a picture; return what the asking process makes of it."""
    ending = threading.Thread(target=_end_at_work, args=(one, end))
    ending.start()
    with file.open("rb") as opened, pytest.raises(DecodingError) as caught:
        one.decode(opened.fileno(), LIMITS)
    ending.join()
    return caught.value.problem


@attack("decoder crashes", how="the decoder process dies of SIGSEGV, SIGABRT and SIGKILL in the middle of a picture")
def test_a_crash_of_the_decoder_costs_one_picture(tmp_path: Path, saw: Callable[[str], None]) -> None:
    slow, fine = tmp_path / "slow.jpg", tmp_path / "fine.png"
    slow.write_bytes(slow_progressive())
    fine.write_bytes(encoded("png"))
    one = DecoderProcess("opencv")
    ends = (signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL)
    try:
        for end in ends:
            with fine.open("rb") as file:
                assert np.array_equal(one.decode(file.fileno(), LIMITS), picture())
            assert _stopped(one, slow, end) == "crashed"
        with fine.open("rb") as file:
            assert np.array_equal(one.decode(file.fileno(), LIMITS), picture())
    finally:
        one.close()
    saw(f"{len(ends)} of {len(ends)}: one sentence for that picture, a new process for the next")


def test_a_decoder_that_dies_between_two_pictures_costs_none() -> None:
    photo_of(encoded("png"), "picture")
    pid = decoder("opencv").pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert np.array_equal(photo_of(encoded("png"), "picture"), picture())


def test_a_picture_that_takes_too_much_memory_is_refused_and_the_next_is_read(tmp_path: Path) -> None:
    """The header is right, and the kernel's limit is reached: less memory is allowed than it states."""
    large = tmp_path / "large.jpg"
    large.write_bytes(encoded("jpeg", (5000, 4000)))
    one = DecoderProcess("opencv")
    try:
        with large.open("rb") as file:
            with pytest.raises(DecodingError) as caught:
                one.decode(file.fileno(), Limits(24_000_000, 50_000_000, 12, memory=1_000_000))
            assert caught.value.problem in ("memory", "undecodable")
            assert one.decode(file.fileno(), LIMITS).shape == (4000, 5000, 3)
    finally:
        one.close()


def test_a_picture_of_the_permitted_size_and_the_worst_kind_stays_within_the_memory_allowed() -> None:
    peaks = Peaks()
    data = png(6300, 6300, depth=16, colour=6)
    grown = peaks.of(lambda: photo_of(data, "picture"))
    assert peaks.highest < _ITSELF + MEMORY
    assert grown < _RESULT + len(data) + 60_000_000


def test_every_decoder_of_pictures_and_films_is_behind_the_guard() -> None:
    """A new place that decodes by itself must either use the guard or be added here with its reason."""
    root = Path(__file__).parents[2]
    allowed = {
        "daemon/facesecure/vision/images/decoding/pixels.py",  # the decoder process
        "daemon/facesecure/vision/images/codec.py",  # only what it encoded itself
        "daemon/facesecure/camera/synthetic/portraits.py",  # packed in the package
        "daemon/facesecure/camera/synthetic/video_writer.py",  # writes
        "daemon/facesecure/camera/sources/decoding.py",  # with FFmpeg's limit
        "daemon/facesecure/camera/clips/muxer.py",  # the same, and writes
        "daemon/facesecure/camera/clips/packets.py",  # writes
        "daemon/facesecure/camera/clips/playable.py",  # with FFmpeg's limit, what muxer.py wrote
        "daemon/facesecure/alerts/speech/audio.py",  # sound
        "daemon/facesecure/services/benchmark.py",  # decodes what it encoded
        "training/facesecure_training/recipes/image_changes.py",  # what it encoded itself, to compress it
        "training/facesecure_training/datasets/loading.py",  # TensorFlow, after the guard's own look at the header
    }
    calls = {("cv2", "imdecode"), ("cv2", "imread"), ("cv2", "imreadmulti"), ("cv2", "VideoCapture"), ("av", "open"),
             ("pillow_heif", "open_heif"), ("Image", "open"), ("io", "decode_image")}  # fmt: skip
    found = set()
    for folder in ("daemon", "plugins", "training"):
        for path in (root / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Attribute):
                    owner = getattr(node.value, "id", getattr(node.value, "attr", ""))
                    if (owner, node.attr) in calls:
                        found.add(str(path.relative_to(root)))
    assert found == allowed
