"""The daemon's look for a newer version, in the background."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from facesecure.app.update_check import UpdateCheck
from facesecure.config.updates import UpdatesConfig
from facesecure.domain.errors import StoreError
from facesecure.services.updates import Updates

CONFIG = UpdatesConfig(check=True, url="https://updates.invalid/releases.json")


def test_what_is_learned_is_told_and_asked_no_more_that_day(tmp_path: Path) -> None:
    told, asked = threading.Event(), list[datetime]()

    def ask(_config: UpdatesConfig, _folder: Path, _before: Updates, now: datetime) -> Updates:
        asked.append(now)
        return Updates("99.0", now, now + timedelta(hours=24))

    with UpdateCheck(CONFIG, tmp_path, told.set, ask=ask, first=0.0, every=0.01) as check:
        assert told.wait(60)
        assert check.known.newer == "99.0"
        assert not threading.Event().wait(0.2)
    assert len(asked) == 1


@pytest.mark.parametrize("error", [StoreError("full"), OSError(28, "No space left on device"), RuntimeError("a bug")])
def test_an_error_does_not_end_the_thread(tmp_path: Path, error: Exception) -> None:
    tried, told = list[datetime](), threading.Event()

    def ask(_config: UpdatesConfig, _folder: Path, _before: Updates, now: datetime) -> Updates:
        tried.append(now)
        if len(tried) < 3:
            raise error
        told.set()
        return Updates(None, now, now + timedelta(hours=24), "the server answered 500")

    with UpdateCheck(CONFIG, tmp_path, lambda: None, ask=ask, first=0.0, every=0.01):
        assert told.wait(60)
