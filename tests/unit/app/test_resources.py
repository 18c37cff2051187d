import resource
from pathlib import Path

import pytest

from facesecure.app import watchdog
from facesecure.app.watchdog import exhausted_resource


def test_a_process_in_good_health_has_enough_of_everything():
    assert exhausted_resource() is None


def test_open_files_are_told_of_before_the_last(monkeypatch: pytest.MonkeyPatch):
    limit = len(list(Path("/proc/self/fd").iterdir())) + 1
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, limit))
    assert f"of the {limit} file descriptors are in use" in str(exhausted_resource())


def test_and_so_are_threads_that_grow_without_end(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(watchdog, "MAX_THREADS", 0)
    assert "threads are running" in str(exhausted_resource())
