"""An extraction by two processes of Dask: the bytes of one process, whatever is killed on the way."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from facesecure.services.bulk.workforce import Workforce
from facesecure_training.datasets.catalogue import Catalogue
from facesecure_training.datasets.extract import extract
from facesecure_training.datasets.settings import ExtractionSettings
from facesecure_training.datasets.stats import stats_of
from support.training.datasets import two_people

pytestmark = pytest.mark.slow
pytest.importorskip("distributed", reason="needs the [cluster] extra")

ALL = ExtractionSettings(stride=1, thin=1.0, min_quality=0.0)


def files(folder: Path) -> dict[str, bytes]:
    """Everything that is no mark, by name."""
    found = (path for path in folder.rglob("*") if path.is_file() and ".extract" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    return two_people(tmp_path_factory.mktemp("recordings"))


@pytest.fixture(scope="module")
def extracted(recordings, tmp_path_factory):
    """What one process extracts."""
    output = tmp_path_factory.mktemp("extracted") / "faces"
    extract(recordings, output, ALL)
    return output


@pytest.fixture(scope="module")
def plenty(recordings, tmp_path_factory):
    """So many videos that an extraction is stopped long before its end, also if this process is held up meanwhile."""
    source = tmp_path_factory.mktemp("plenty")
    (source / "grace").mkdir()
    for number in range(400):
        shutil.copy(recordings / "grace" / "monday.mp4", source / "grace" / f"{number}.mp4")
    return source


WHOLE = "from facesecure_training.cli.main import main; main()"
HELD = f"""
import time
from facesecure_training.datasets.journal import Journal
add = Journal.add
def add_and_wait(self, done):
    add(self, done)
    time.sleep(120)
Journal.add = add_and_wait
{WHOLE}
"""
"""Waits to be killed when it has recorded the first source; its workers go on."""


def command_of(program: str, recordings, output) -> list[str]:
    words = [
        sys.executable, "-c", program, "dataset", "extract",
        "-d", recordings, "-o", output, "--stride", 1, "--thin", 1, "--min-quality", 0, "--workers", 2,
    ]  # fmt: skip
    return [str(word) for word in words]


def started(program: str, recordings, output) -> subprocess.Popen[str]:
    """An extraction by two processes that has finished a source."""
    command, journal = command_of(program, recordings, output), output / ".extract" / "journal.jsonl"
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0)
    while not (journal.exists() and journal.stat().st_size):
        assert process.poll() is None
        time.sleep(0.01)
    return process


def workers_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    children = psutil.Process(process.pid).children(recursive=True)
    return [one for one in children if "spawn_main" in " ".join(one.cmdline())]


def test_killed_as_a_whole_it_leaves_no_process_and_resumes(recordings, extracted, tmp_path):
    output = tmp_path / "faces"
    process = started(HELD, recordings, output)
    workers = workers_of(process)
    process.kill()
    process.communicate()
    assert len(workers) == 2
    assert psutil.wait_procs(workers, timeout=60)[1] == []
    command = command_of(WHOLE, recordings, output)
    resumed = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert resumed.returncode == 0, resumed.stderr
    assert "(0 done before" not in resumed.stdout
    assert files(output) == files(extracted)


def test_ctrl_c_ends_its_processes_and_says_how_to_resume(plenty, tmp_path):
    process = started(WHOLE, plenty, tmp_path / "faces")
    workers = workers_of(process)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all its processes
    _, said = process.communicate(timeout=60)
    assert (process.returncode, psutil.wait_procs(workers, timeout=60)[1]) == (130, [])
    assert "2 processes; dashboard: http://127.0.0.1:" in said
    assert said.strip().endswith("interrupted; run the same command again to resume")
    assert "Traceback" not in said


def test_statistics_by_two_processes_are_those_of_one(extracted):
    with Workforce(2).pool() as pool, Catalogue.of_folders(extracted, pool) as images:
        found = stats_of(images, pool)
    with Catalogue.of_folders(extracted) as images:
        assert stats_of(images) == found
