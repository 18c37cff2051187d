"""kill -9 to a real daemon in every phase of its life: the next start works, the database is whole, nothing is lost."""

from __future__ import annotations

import random
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from support.faults.household import Home, wait_until
from support.faults.table import fault
from support.speech.alsa import samples, without_a_card

pytestmark = pytest.mark.slow
CHANCE = random.Random(7)


def whole(home: Home) -> bool:
    """Whether the database is whole, as the kill left it; where there is none yet nothing is broken."""
    path = home.state / "facesecure.db"
    if not path.exists():
        return True
    with closing(sqlite3.connect(path, timeout=10)) as connection:
        return bool(connection.execute("PRAGMA integrity_check").fetchone() == ("ok",))


def next_start(home: Home) -> float:
    """Seconds until a daemon that is started now watches; it tells of the next stranger, and ends well."""
    told = len(home.alerts())
    daemon = home.begin()
    ready = daemon.wait_ready()
    home.wait_for_alerts(told + 1)
    daemon.stop()
    return ready


def lost(home: Home) -> list[str]:
    """Sightings that were told and are not in the database, or whose picture is not on the disk."""
    kept = dict(home.rows("SELECT identifier, snapshot FROM sightings"))
    told = [alert["sighting"] for alert in home.alerts() if alert["sighting"]]
    return [one for one in told if one not in kept or not _picture(home, kept[one])]


def _picture(home: Home, relative: str | None) -> bool:
    return relative is None or (home.state / relative).is_file() or (home.state / "snapshots" / relative).is_file()


@fault(
    "kill -9 while it starts", how="SIGKILL at 24 moments of the first second, half of them on an empty state folder"
)
def test_while_it_starts(home: Home, tmp_path: Path, strangers_film: Path, saw: Callable[[str], None]) -> None:
    new = Home(tmp_path / "new", strangers_film) if (tmp_path / "new").mkdir() is None else home
    for number in range(24):
        each = (home, new)[number % 2]
        daemon = each.begin()
        time.sleep(CHANCE.uniform(0.1, 1.0))
        daemon.kill()
        assert whole(each)
    assert home.rows("SELECT name FROM people") == [("Grace Hopper",)]
    slowest = max(next_start(home), next_start(new))
    saw(f"24 of 24 databases whole, the family known, the next start watches after {slowest:.1f} s and tells")


@fault(
    "kill -9 while it watches",
    how="SIGKILL at 10 moments, somebody at the door or not",
)
def test_while_it_watches(home: Home, saw: Callable[[str], None]) -> None:
    for _ in range(10):
        daemon = home.begin()
        daemon.wait_ready()
        time.sleep(CHANCE.uniform(0.0, 5.0))
        daemon.kill()
        assert whole(home)
    ready = next_start(home)
    assert lost(home) == []
    saw(f"10 of 10 databases whole, 0 of {len(home.alerts())} told lost; the next start watches after {ready:.1f} s")


@fault(
    "kill -9 while it writes",
    how="a film as fast as it goes, so that it writes all the time; 20 times SIGKILL the moment the log grows",
)
def test_while_it_writes(home: Home, saw: Callable[[str], None]) -> None:
    home.configure(speed="fast")
    wal = home.state / "facesecure.db-wal"
    for _ in range(20):
        daemon = home.begin()
        daemon.wait_ready()
        time.sleep(CHANCE.uniform(0.0, 1.0))
        before = wal.stat().st_mtime_ns if wal.exists() else 0
        wait_until(lambda before=before: wal.exists() and wal.stat().st_mtime_ns != before, "write", every=0.0002)
        time.sleep(CHANCE.uniform(0.0, 0.01))
        daemon.kill()
        assert whole(home)
    home.configure()
    ready = next_start(home)
    assert lost(home) == []
    (written,) = home.rows("SELECT count(*) FROM sightings")[0]
    saw(
        f"20 of 20 databases whole, {written} sightings with their pictures, 0 of {len(home.alerts())} told lost; "
        f"the next start watches after {ready:.1f} s"
    )


@fault("kill -9 while it speaks", how="SIGKILL 5 times while the loudspeaker plays")
def test_while_it_plays(home: Home, monkeypatch: pytest.MonkeyPatch, saw: Callable[[str], None]) -> None:
    played = without_a_card(home.folder, monkeypatch)
    slow = home.folder / "aplay"
    slow.write_text('#!/bin/sh\n/usr/bin/aplay "$@" && sleep 2\n')  # the null device takes no time; a sound card does
    slow.chmod(0o755)
    home.environment["PATH"] = f"{home.folder}:/usr/bin:/bin"
    home.configure("[plugins.speaker]\nexpires = 3600\n")
    again = []
    for _ in range(5):
        daemon = home.begin()
        daemon.wait_ready()
        wait_until(
            lambda: home.rows("SELECT 1 FROM deliveries WHERE channel='speaker' AND state='attempting'"), "attempt"
        )
        time.sleep(0.3)
        daemon.kill()
        assert whole(home)
    daemon = home.begin()
    daemon.wait_ready()
    again.append(daemon.wait_for("left from an earlier run"))
    ends = "SELECT state, count(*) FROM deliveries WHERE channel='speaker' GROUP BY state"
    wait_until(lambda: dict(home.rows(ends)).keys() == {"delivered"}, "silence", 60)
    states = dict(home.rows(ends))
    daemon.stop()  # somebody else may be at the door by now, whose alert then waits for the next start
    assert abs(samples(played)).max() > 0.1
    assert lost(home) == []
    saw(
        f"5 of 5 databases whole; what was cut off is said again at the next start: {states['delivered']} of "
        f"{states['delivered']} alerts spoken to the end"
    )


@fault("kill -9 while it stops", how="SIGTERM, and SIGKILL up to 60 ms later, 10 times")
def test_while_it_stops(home: Home, saw: Callable[[str], None]) -> None:
    gone = 0
    for _ in range(10):
        daemon = home.begin()
        daemon.wait_ready()
        time.sleep(CHANCE.uniform(0.0, 3.0))
        daemon.process.send_signal(signal.SIGTERM)
        time.sleep(CHANCE.uniform(0.0, 0.06))
        gone += daemon.process.poll() is not None
        daemon.kill()
        assert whole(home)
    ready = next_start(home)
    assert lost(home) == []
    saw(
        f"10 of 10 databases whole ({gone} had ended before), 0 of {len(home.alerts())} told lost; "
        f"the next start watches after {ready:.1f} s"
    )
