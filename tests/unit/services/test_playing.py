"""Films for browsers: kept in memory while they are played, and no longer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from facesecure.domain.errors import SourceError, UsageError
from facesecure.services.playing import PlayedFilms
from facesecure.storage.store import Store
from support.builders import NOON
from support.camera.films import played
from support.page_visits import film_pieces, keep_film


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    return film_pieces(tmp_path_factory.mktemp("film"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "state") as opened:
        yield opened


def test_the_pieces_of_a_film_are_the_whole_film_and_it_is_made_once(store: Store, pieces: list[bytes]) -> None:
    films, clip = PlayedFilms(), store.clips.find(keep_film(store, NOON, pieces))
    first = films.piece(store, clip, 0, 1000)
    store.clips._files.remove(clip.identifier)  # from now on there is only what is kept in memory
    rest = [films.piece(store, clip, at, 1000).data for at in range(1000, first.size, 1000)]
    assert played(b"".join([first.data, *rest])).seconds == pytest.approx(first.seconds, abs=0.05)
    assert films.piece(store, clip, first.size, 1000).data == b""
    films.close()


def test_a_film_that_nobody_plays_any_more_is_released(store: Store, pieces: list[bytes]) -> None:
    films, clip = PlayedFilms(kept_seconds=0.1), store.clips.find(keep_film(store, NOON, pieces))
    films.piece(store, clip, 0, 10)
    until = time.monotonic() + 10
    while films._films and time.monotonic() < until:
        time.sleep(0.05)
    assert films._films == {}


def test_no_more_memory_is_taken_than_is_allowed(store: Store, pieces: list[bytes]) -> None:
    clips = [store.clips.find(keep_film(store, NOON, pieces)) for _ in range(3)]
    films = PlayedFilms(most_bytes=2 * clips[0].size + 2000)
    for clip in clips:
        films.piece(store, clip, 0, 10)
    assert len(films._films) < 3
    with pytest.raises(UsageError, match="too large"):
        PlayedFilms(most_bytes=1000).piece(store, clips[0], 0, 10)
    films.close()


def test_a_film_of_which_nothing_plays_says_so(store: Store) -> None:
    clip = store.clips.find(keep_film(store, NOON, [b"nothing"], whole=False))
    with pytest.raises(SourceError, match="nothing of this film"):
        PlayedFilms().piece(store, clip, 0, 10)
