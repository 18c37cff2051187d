"""Visits for the tests of the page: a known person, a stranger twice, an animal, and a film that plays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from facesecure.camera.clips.muxer import FilmMuxer
from facesecure.camera.clips.recorder import new_identifier
from facesecure.domain import Subject
from facesecure.storage.store import Store
from support.builders import NOON
from support.camera.films import camera_video, filled
from support.store import UNIDENTIFIED, known, picture, sighting
from support.visitors import known_to, visit


def fill(store: Store) -> None:
    """Tom, enrolled, who came on the first; one stranger on the second and the third; and a cat at the gate."""
    store.add_person("Tom", known_to(1))
    visit(store, "tom", 1, verdict=known("Tom"), side=48)
    visit(store, "stranger-1", 2, 1, when=NOON + timedelta(days=1), side=48)
    visit(store, "stranger-2", 2, 2, when=NOON + timedelta(days=2), side=48)
    cat = sighting("cat", UNIDENTIFIED, NOON + timedelta(days=2, hours=1), picture())
    store.record(replace(cat, subject=Subject.ANIMAL, source="gate"))


def film_pieces(folder: Path, seconds: float = 3.0) -> list[bytes]:
    """A film as it is kept, in pieces."""
    written = list[bytes]()
    muxer = FilmMuxer(written.append)
    for packet in filled(camera_video(folder / "film.mp4", seconds=seconds)).take(0):
        muxer.add(packet)
    muxer.close()
    return written


def keep_film(store: Store, began: datetime, pieces: Sequence[bytes], *, whole: bool = True) -> str:
    """Keep a film of the front door; return its identifier."""
    identifier = new_identifier(began)
    film = store.clips.begin(identifier, "front door", began, most_mb=100)
    for piece in pieces:
        film.write(piece)
    film.flush()
    if whole:
        film.finish(3.0)
    film.close()
    return identifier
