"""The film of an alert, as a plugin gets it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from facesecure.alerts.plugins.clips import AlertClips
from facesecure.camera.clips.muxer import FilmMuxer
from facesecure.domain.errors import StoreError
from support.camera.films import boxes, camera_video, filled, played
from support.plugins import alert

FILM = "20310530T181502Z-1f3a9c04"


class Archive:
    """One film, in pieces."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = pieces

    def media(self, identifier: str) -> Iterable[bytes]:
        if identifier != FILM:
            raise StoreError("it was removed", "")
        return list(self.pieces)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    pieces = list[bytes]()
    muxer = FilmMuxer(pieces.append)
    for packet in filled(camera_video(tmp_path_factory.mktemp("film") / "a.mp4")).take(0):
        muxer.add(packet)
    muxer.close()
    return Archive(pieces)


def test_the_film_is_a_file_in_memory_for_as_long_as_it_is_sent(archive: Archive) -> None:
    with AlertClips(archive).film(replace(alert(), clip=FILM), 1_000_000) as path:
        assert path is not None
        assert path.is_file()
        data = path.read_bytes()
        assert path.resolve().as_posix().startswith("/memfd:") or not path.resolve().exists()
    assert played(data).seconds == pytest.approx(6.0, abs=0.15)
    assert boxes(data).index("moov") < boxes(data).index("mdat")
    assert not path.is_file()


def test_a_film_that_would_be_too_large_is_cut(archive: Archive) -> None:
    size = sum(map(len, archive.pieces))
    with AlertClips(archive).film(replace(alert(), clip=FILM), size * 2 // 3) as path:
        assert path is not None
        assert 1.0 < played(path.read_bytes()).seconds < 5.0


def test_without_a_film_there_is_no_file(archive: Archive) -> None:
    clips = AlertClips(archive)
    for told, most in ((alert(), 10**6), (replace(alert(), clip="gone"), 10**6), (replace(alert(), clip=FILM), 10)):
        with clips.film(told, most) as path:
            assert path is None


def test_the_path_of_a_film_leads_nowhere_on_the_disk(archive: Archive) -> None:
    with AlertClips(archive).film(replace(alert(), clip=FILM), 1_000_000) as path:
        assert path is not None
        assert path.parent == Path("/proc/self/fd")
