"""``facesecure events clip``, and films in ``show`` and ``export``."""

from __future__ import annotations

import csv
import io
import json
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from facesecure.camera.clips.muxer import FilmMuxer
from support.camera.films import camera_video, filled, played
from support.page_visits import keep_film
from support.people import sighting


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """A film of three seconds."""
    written = list[bytes]()
    muxer = FilmMuxer(written.append)
    for packet in filled(camera_video(tmp_path_factory.mktemp("film") / "a.mp4", seconds=3.0)).take(0):
        muxer.add(packet)
    muxer.close()
    return written


@pytest.fixture
def visit(store, pieces):
    """The identifiers of a sighting, and of its film."""
    seen = sighting(1)
    store.record(seen)
    return seen.identifier, keep_film(store, seen.first_seen - timedelta(seconds=1), pieces)


def test_a_sighting_shows_its_film(facesecure, visit):
    event, film = visit
    assert f"{film} (3 s, 0.0 MB)" in facesecure("events", "show", event).out
    (shown,) = facesecure("events", "show", event, "--json").json["clips"]
    assert (shown["id"], shown["camera"], shown["seconds"], shown["whole"]) == (film, "front door", 3.0, True)


def test_the_film_of_a_sighting_is_written_as_a_file_that_plays(facesecure, visit, tmp_path):
    event, film = visit
    for number, name in enumerate((event, event[:8], film, film[:20])):
        path = tmp_path / f"{number}.mp4"
        outcome = facesecure("events", "clip", name, "--output", path)
        assert outcome.code == 0, outcome.err
        assert "3 s of the front door" in outcome.err
        assert played(path.read_bytes()).seconds == pytest.approx(3.0, abs=0.15)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_visit_with_two_films_says_how_to_write_the_second(facesecure, visit, store, pieces, tmp_path):
    event, film = visit
    second = keep_film(store, sighting(1).first_seen + timedelta(seconds=0.5), pieces, whole=False)
    outcome = facesecure("events", "clip", event, "--output", tmp_path / "a.mp4")
    assert f"the film goes on: facesecure events clip {second} --output FILE" in outcome.err
    assert "not finished" in facesecure("events", "show", event).out
    assert facesecure("events", "clip", second, "--output", tmp_path / "b.mp4").code == 0
    assert film != second


def test_what_has_no_film_says_so_and_leaves_no_file(facesecure, store, pieces, tmp_path):
    store.record(sighting(1))
    outcome = facesecure("events", "clip", sighting(1).identifier, "--output", tmp_path / "a.mp4")
    assert outcome.code == 2
    assert "there is no film of event" in outcome.err
    assert "[clips] enabled = true" in outcome.err
    broken = keep_film(store, sighting(1).first_seen, pieces[:1], whole=False)
    outcome = facesecure("events", "clip", broken, "--output", tmp_path / "a.mp4")
    assert outcome.code == 1
    assert "nothing of this film can be played" in outcome.err
    assert not (tmp_path / "a.mp4").exists()
    assert "there is no film" in facesecure("events", "clip", "20010101T", "--output", tmp_path / "a.mp4").err


def test_films_are_exported_once_beside_the_sightings_that_name_them(facesecure, visit, store, tmp_path):
    _, film = visit
    store.record(sighting(2))
    folder = tmp_path / "films"
    lines = [json.loads(line) for line in facesecure("events", "export", "--clips", folder).out.splitlines()]
    assert [line["clips"] for line in lines] == [[f"{film}.mp4"], []]
    assert [path.name for path in folder.iterdir()] == [f"{film}.mp4"]
    table = facesecure("events", "export", "--format", "csv", "--clips", folder).out
    assert [row["clips"] for row in csv.DictReader(io.StringIO(table))] == [f"{film}.mp4", ""]
    assert "clips" not in json.loads(facesecure("events", "export").out.splitlines()[0])


def test_a_folder_that_cannot_be_made_is_an_error_that_says_what_to_do(facesecure, visit, tmp_path: Path):
    (tmp_path / "file").write_text("")
    outcome = facesecure("events", "export", "--clips", tmp_path / "file" / "films")
    assert outcome.code == 2
    assert "cannot make the folder" in outcome.err
