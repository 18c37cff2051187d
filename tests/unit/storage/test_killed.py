"""A process is killed at any moment, and nothing that was committed is lost."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from facesecure.storage.store import Store
from support.store import environment
from support.visitors import CHOOSE

WRITER = """
import itertools, os, sys
from pathlib import Path
from facesecure.storage.store import Store
from support.store import enrolled_face, known, picture, sighting
store = Store.open(Path(sys.argv[1]))
image = picture(160, 120)
for number in itertools.count():
    identifier = f"{os.getpid()}-{number}"
    store.record(sighting(identifier, snapshot=image))
    print("sighting", identifier, flush=True)
    if number % 5 == 0:
        store.add_person(identifier, [enrolled_face(seed) for seed in range(3)])
        print("person", identifier, flush=True)
"""
KILLS = 12


def lines_before_a_kill(state_dir: Path, words: int, moment: float, code: str = WRITER) -> list[str]:
    """What a writer said it had done, until it was killed ``moment`` seconds after it had said ``words`` lines."""
    writer = subprocess.Popen(
        [sys.executable, "-c", code, state_dir], stdout=subprocess.PIPE, text=True, env=environment()
    )
    assert writer.stdout is not None
    first = [writer.stdout.readline() for _ in range(words)]
    time.sleep(moment)
    writer.send_signal(signal.SIGKILL)
    rest, _ = writer.communicate(timeout=30)
    return [line for line in [*first, *rest.splitlines(keepends=True)] if line.endswith("\n")]


@pytest.mark.slow
def test_a_process_killed_at_any_moment_loses_no_committed_sighting(tmp_path: Path) -> None:
    moments = random.Random(2)
    lines = [lines_before_a_kill(tmp_path, moments.randint(1, 9), moments.uniform(0, 0.02)) for _ in range(KILLS)]
    said = [line.split() for one in lines for line in one]
    assert len(said) > KILLS * 2, "the writers did too little to prove anything"
    with closing(sqlite3.connect(tmp_path / "facesecure.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    with Store.open(tmp_path) as store:
        stored = {sighting.identifier: sighting for sighting in store.each_sighting()}
        people = {person.name: person.faces for person in store.people()}
    assert {name for kind, name in said if kind == "sighting"} <= stored.keys()
    assert {name for kind, name in said if kind == "person"} <= people.keys()
    assert set(people.values()) <= {3}, "a person is enrolled whole or not at all"
    snapshots = [sighting.snapshot for sighting in stored.values()]
    assert all(path is not None and path.read_bytes().endswith(b"\xff\xd9") for path in snapshots)


VISITS = """
import itertools, os, sys
from pathlib import Path
from facesecure.storage.store import Store
from support.visitors import CHOOSE, enrolled, visit
store = Store.open(Path(sys.argv[1]))
for number in itertools.count():
    identifier = f"{os.getpid()}-{number}"
    visitor = visit(store, identifier, number % 3, number)
    print("visit", identifier, visitor, flush=True)
    if number % 4 == 3:
        store.visitors.name(visitor, f"{os.getpid()}-{visitor}", [enrolled(f) for f in store.visitors.faces(visitor)])
    if number % 5 == 4:
        store.corrections.not_known(identifier, None, CHOOSE)
    if number % 7 == 6:
        store.visitors.forget(store.visitors.all()[0].identifier)
"""


@pytest.mark.slow
def test_visitors_are_whole_however_their_writer_is_killed(tmp_path: Path) -> None:
    moments = random.Random(3)
    for _ in range(KILLS // 2):
        lines_before_a_kill(tmp_path, moments.randint(3, 9), moments.uniform(0, 0.03), VISITS)
    with closing(sqlite3.connect(tmp_path / "facesecure.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    with Store.open(tmp_path) as store:
        store.visitors.group_left_over(CHOOSE)
        visitors = store.visitors.all()
        assert visitors
        assert [len(store.visitors.visits(one.identifier)) for one in visitors] == [one.visits for one in visitors]
        assert {one.name for one in visitors} - {None} <= {person.name for person in store.people()}
        seen = [sighting for sighting in store.each_sighting() if store.faces_seen(sighting.identifier)]
        assert all(len(store.faces_seen(sighting.identifier)) == 3 for sighting in seen)
        assert all(sighting.visitor for sighting in seen), "what was left over is grouped at the next start"
