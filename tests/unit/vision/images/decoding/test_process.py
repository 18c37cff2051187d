"""The process that decodes: when it is started, shared, ended and started again."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from facesecure.vision.images.codec import png_bytes
from facesecure.vision.images.decoding import process
from facesecure.vision.images.decoding.messages import DecodingError, Limits
from facesecure.vision.images.decoding.process import DecoderProcess
from support.bombs.pictures import encoded, picture

LIMITS = Limits(24_000_000, 50_000_000, 12)


@pytest.fixture
def one() -> Iterator[DecoderProcess]:
    made = DecoderProcess("opencv")
    yield made
    made.close()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    path.write_bytes(encoded("png"))
    return path


def decoded(one: DecoderProcess, path: Path) -> bool:
    with path.open("rb") as file:
        return np.array_equal(one.decode(file.fileno(), LIMITS), picture())


def test_one_process_serves_all_pictures_and_all_threads(one: DecoderProcess, photo: Path) -> None:
    assert one.pid is None
    assert decoded(one, photo)
    pid = one.pid
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(lambda _: decoded(one, photo), range(40)))
    assert one.pid == pid


def test_it_is_ended_when_it_is_idle_and_started_again(
    one: DecoderProcess, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "IDLE", 0.1)
    assert decoded(one, photo)
    pid = one.pid
    while one.pid is not None:
        time.sleep(0.01)
    one.close()  # waits until the thread that ends it is through
    assert not Path(f"/proc/{pid}").exists()  # nor left as a zombie
    assert decoded(one, photo)
    assert one.pid != pid


def test_it_is_replaced_after_many_pictures(one: DecoderProcess, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_MOST_PICTURES", 2)
    pids = [one.pid for _ in range(4) if decoded(one, photo)]
    assert len(pids) == 4
    assert len(set(pids)) == 2


def test_an_image_can_be_written_to_and_outlives_its_process(one: DecoderProcess, photo: Path) -> None:
    with photo.open("rb") as file:
        image = one.decode(file.fileno(), LIMITS)
    one.close()
    image[0, 0] = (1, 2, 3)
    assert np.array_equal(image[1:], picture()[1:])


def test_where_it_cannot_be_started_the_error_says_so(
    one: DecoderProcess, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(DecodingError, match="not started"):
        decoded(one, photo)
    monkeypatch.undo()
    assert decoded(one, photo)


FORKS = """
import os, sys
from facesecure.vision.images.decoding.process import decoder
from facesecure.vision.images.photos import read_photo
first = read_photo(sys.argv[1])
before = decoder("opencv").pid
child = os.fork()
assert (read_photo(sys.argv[1]) == first).all()
assert (decoder("opencv").pid == before) == bool(child)
if child:
    assert os.waitpid(child, 0)[1] == 0
    sys.stdout.write(str(before))
"""


def test_a_fork_gets_a_process_of_its_own_and_none_is_left_behind(photo: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", FORKS, str(photo)], capture_output=True, text=True, check=True
    )
    assert run.stderr == ""
    assert not Path(f"/proc/{run.stdout}").exists()


LEAVES = """
import os, sys
from facesecure.vision.images.decoding.process import decoder
from facesecure.vision.images.photos import read_photo
read_photo(sys.argv[1])
sys.stdout.write(str(decoder("opencv").pid))
sys.stdout.flush()
os.kill(os.getpid(), 9)
"""


def test_it_ends_with_a_process_that_was_killed(photo: Path) -> None:
    run = subprocess.run([sys.executable, "-c", LEAVES, str(photo)], capture_output=True, text=True, check=False)
    with suppress(OSError):  # it ends between two looks
        while Path(f"/proc/{run.stdout}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z":
            time.sleep(0.01)
    assert run.returncode == -9


def test_a_picture_is_scaled_to_the_longest_side_that_is_asked_for(tmp_path: Path, one: DecoderProcess) -> None:
    path = tmp_path / "wide.png"
    path.write_bytes(png_bytes(np.zeros((300, 1200, 3), np.uint8)))
    with path.open("rb") as file:
        pixels = one.pixels(file.fileno(), Limits(24_000_000, 50_000_000, 12, longest=600))
    assert (pixels.width, pixels.height, len(pixels.data)) == (600, 150, 600 * 150 * 3)
    assert pixels.array().shape == (150, 600, 3)


def test_only_the_formats_that_are_asked_for_are_decoded(tmp_path: Path, one: DecoderProcess) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png_bytes(np.zeros((30, 30, 3), np.uint8)))
    with path.open("rb") as file, pytest.raises(DecodingError) as caught:
        one.decode(file.fileno(), Limits(24_000_000, 50_000_000, 12, formats=("JPEG", "WebP")))
    assert (caught.value.problem, caught.value.format) == ("foreign", "PNG")


def test_asking_for_pixels_loads_no_numpy() -> None:
    code = "import sys; import facesecure.vision.images.photos; print('numpy' in sys.modules, 'cv2' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout == "False False\n"
