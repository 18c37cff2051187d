"""Names from outside that would move a cursor, forge a line, end a setting, hide, or run as a formula."""

from __future__ import annotations

import csv
import io
import logging
import subprocess
import sys
import tomllib
import uuid
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest

from facesecure.domain.errors import UsageError
from facesecure.storage.store import Store
from facesecure.util.plain_text import is_plain
from support.cast.mdns import LOOPBACK, advertised
from support.cast.receiver import cast_device
from support.faults.table import attack
from support.store import enrolled_face, environment, known, picture, sighting

NAMES = {
    "escape sequence": "\x1b[2J\x1b]0;owned\x07",
    "line break": '"]\nhint: run rm -rf\r\n12:00:00 WARNING Anna is at the front door',
    "direction": "\u202egpj.exe\u2066",
    "nothing to see": "\u200b\u2060\ufeff\u00ad",
    "next line": "\x85\u2028\u2029",
}


def facesecure(state: Path, *words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "facesecure", "--state-dir", str(state), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, env=environment(), check=False, timeout=120)


def assert_plain(text: str, lines: int | None = None) -> None:
    """No line holds what is not plain, and there are no more than ``lines``."""
    found = text.splitlines()
    assert all(is_plain(line.replace("\t", "")) for line in found), found
    assert text.count("\n") == len(found), "splitlines knows more line breaks than a terminal"
    assert lines is None or len(found) == lines, found


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@attack("name of a Cast device", how="a Cast device whose name holds control, direction and invisible characters")
def test_a_cast_device_with_a_hostile_name(tmp_path: Path, name: str, saw: Callable[[str], None]) -> None:
    own = uuid.uuid4().hex[:8]
    config = tmp_path / "door.toml"
    config.write_text(f'[plugins.google_home]\ninterfaces = ["{LOOPBACK}"]\n')
    with cast_device(name=f"{own} {name}") as device, advertised(device.script, device.host, device.port):
        done = facesecure(tmp_path, "--config", config, "alerts", "devices", "--timeout", "10")
    assert done.returncode == 0, done.stderr
    assert_plain(done.stdout)
    assert_plain(done.stderr, lines=1)
    (line,) = [line for line in done.stdout.splitlines() if own in line]
    assert tomllib.loads(done.stderr[done.stderr.index("devices = ") :])
    saw(f"“{' '.join(line.split()[:4])}”")


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@attack("name of a file", how="photos to enrol and to identify whose names hold the same")
def test_a_photo_with_a_hostile_name(tmp_path: Path, name: str, saw: Callable[[str], None]) -> None:
    photo = tmp_path / f"a{name.replace('/', '')}.jpg"
    photo.write_bytes(cv2.imencode(".jpg", picture())[1].tobytes())
    for words in (("identify", photo), ("enroll", "Anna", "--images", photo), ("identify", f"{photo}.missing")):
        done = facesecure(tmp_path / "state", *words)
        assert_plain(done.stdout)
        assert_plain(done.stderr)
        assert not [
            line for line in (done.stdout + done.stderr).splitlines() if line.startswith(("12:00", "hint: run"))
        ]
    saw("escaped in every line")


@attack(
    "name of a person", how="names to enrol that hold the same, and one that looks like the name of somebody enrolled"
)
def test_a_person_with_a_hostile_name(tmp_path: Path, saw: Callable[[str], None]) -> None:
    with Store.open(tmp_path / "state") as store:
        store.add_person("Anna", [enrolled_face()])
        for name in (*NAMES.values(), "An\u200dna", "Anna\ufe0f"):
            with pytest.raises(UsageError):
                store.add_person(f"{name}" if name.startswith("An") else f"Anna{name}x", [enrolled_face(1)])
        with pytest.raises(UsageError, match="looks the same as 'Anna'"):
            store.add_person("An\u200dna", [enrolled_face(1)])
    saw("refused")


@attack("formula in an export", how="a person called =HYPERLINK(...), and their sightings exported as CSV")
def test_an_export_runs_no_formula(tmp_path: Path, saw: Callable[[str], None]) -> None:
    name = '=HYPERLINK("http:evil";"Anna")'
    with Store.open(tmp_path / "state") as store:
        store.record(sighting("one", known(name)))
    done = facesecure(tmp_path / "state", "events", "export", "--format", "csv")
    rows = list(csv.reader(io.StringIO(done.stdout)))
    assert f"'{name}" in rows[1]
    assert not [cell for cell in rows[1] if cell.startswith(("=", "+", "@"))]
    saw("a text")


def test_a_record_of_the_log_forges_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    from facesecure.cli.settings import Settings, configure_logging

    configure_logging(Settings())
    logging.getLogger("facesecure.test").warning("the camera said %s", NAMES["line break"] + NAMES["escape sequence"])
    lines = capsys.readouterr().err.splitlines()
    assert all(line.startswith("    ") for line in lines[1:])
    assert all(is_plain(line) for line in lines)
