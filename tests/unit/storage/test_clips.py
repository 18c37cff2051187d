"""Films at rest: encrypted, readable as far as they were written, removed with what they show."""

from __future__ import annotations

import os
import random
import shutil
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from facesecure.camera.clips.recorder import new_identifier
from facesecure.config import StoreConfig
from facesecure.config.clips import ClipsConfig
from facesecure.domain.errors import DiskFullError, StoreError, UsageError
from facesecure.storage import clips as clips_module
from facesecure.storage.clip_archive import KeptFilm
from facesecure.storage.clip_files import HEAD, ClipReader, ClipRemovedError
from facesecure.storage.clips import Clips
from facesecure.storage.encryption import FieldCipher
from facesecure.storage.keys import read_key
from facesecure.storage.store import Store
from support.faults.disks import fill, small_disk
from support.store import STRANGER, known, sighting
from support.visitors import known_to, visit

NOW = datetime.now(UTC).replace(microsecond=0)
FILM = b"".join(number.to_bytes(4, "big") for number in range(100_000))


def film(
    store: Store, began: datetime = NOW, camera: str = "front door", data: bytes = FILM, whole: bool = True
) -> str:
    """Write a film of six seconds; return its identifier. One that is not ``whole`` breaks off as at a kill."""
    identifier = new_identifier(began)
    with closing(store.clips.begin(identifier, camera, began, most_mb=1000)) as one:
        for start in range(0, len(data), 50_000):
            one.write(data[start : start + 50_000])
            one.flush()
        if whole:
            one.finish(6.0)
    ended = (began + timedelta(seconds=6)).timestamp()
    os.utime(path_of(store, identifier), (ended, ended))
    return identifier


def path_of(store: Store, identifier: str) -> Path:
    (path,) = (one for one in Clips(folder_of(store)).paths() if one.stem == identifier)
    return path


def folder_of(store: Store) -> Path:
    return store._database.path.parent


def left(store: Store) -> list[str]:
    return [identifier for identifier, _ in Clips(folder_of(store)).all()]


def write_and_flush(one: KeptFilm, data: bytes) -> None:
    one.write(data)
    one.flush()


def media(store: Store, identifier: str) -> bytes:
    return b"".join(store.clips.media(identifier))


def test_a_film_is_found_by_its_whole_identifier(store: Store) -> None:
    identifier = film(store)
    assert store.clips.exactly(identifier) == store.clips.find(identifier)
    for other in (identifier[:-1], identifier[:-1] + "x", "../" + identifier, "", new_identifier(NOW)):
        with pytest.raises(UsageError, match="no film"):
            store.clips.exactly(other)


def test_a_film_is_read_as_it_was_written_and_nothing_of_it_is_in_the_file(store: Store) -> None:
    identifier = film(store)
    assert media(store, identifier) == FILM
    clip = store.clips.find(identifier)
    assert (clip.camera, clip.began, clip.seconds, clip.whole) == ("front door", NOW, 6.0, True)
    at_rest = path_of(store, identifier).read_bytes()
    assert all(FILM[at : at + 16] not in at_rest for at in range(0, len(FILM), 1000))
    assert b"front door" not in at_rest
    assert path_of(store, identifier).stat().st_mode & 0o777 == 0o600


def test_a_film_that_broke_off_is_read_up_to_its_last_whole_chunk(store: Store) -> None:
    identifier = film(store, whole=False)
    path = path_of(store, identifier)
    assert media(store, identifier) == FILM
    assert not store.clips.find(identifier).whole
    data = path.read_bytes()
    lengths = set[int]()
    for cut in range(HEAD + 200, len(data), 30_011):
        path.write_bytes(data[:cut])
        got = media(store, identifier)
        assert FILM.startswith(got)
        lengths.add(len(got))
    assert len(lengths) > 5


def test_a_changed_moved_or_exchanged_chunk_is_not_read(store: Store) -> None:
    one, other = film(store), film(store, NOW + timedelta(seconds=20))
    path = path_of(store, one)
    data = bytearray(path.read_bytes())
    data[-200_000] ^= 1
    path.write_bytes(data)
    assert FILM.startswith(media(store, one))
    assert len(media(store, one)) < len(FILM)
    shutil.copyfile(path_of(store, other), path)
    with pytest.raises(StoreError, match="cannot be read"):
        media(store, one)
    path.write_bytes(b"no film")
    with pytest.raises(StoreError, match="beginning is missing"):
        media(store, one)


def test_whatever_is_changed_in_a_film_nothing_else_is_ever_read_from_it(store: Store) -> None:
    identifier = film(store, data=FILM[:120_000])
    path, chance = path_of(store, identifier), random.Random(5)
    data = path.read_bytes()
    unreadable = 0
    for _ in range(200):
        changed = bytearray(data)
        where = chance.choice((chance.randrange(HEAD), HEAD + chance.randrange(8), chance.randrange(len(data))))
        changed[where] = chance.randrange(256)
        path.write_bytes(bytes(changed[: chance.choice((len(data), chance.randrange(len(data))))]))
        try:
            assert FILM.startswith(media(store, identifier))
            assert store.clips.find(identifier).camera == "front door"
        except StoreError:
            unreadable += 1
    assert 0 < unreadable < 200


def test_a_link_in_the_place_of_a_film_is_not_followed(store: Store, tmp_path: Path) -> None:
    identifier = film(store)
    path = path_of(store, identifier)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="cannot be read"):
        media(store, identifier)


def test_a_film_belongs_to_the_sightings_of_its_camera_and_its_time(store: Store) -> None:
    shows = film(store)
    film(store, camera="gate")
    film(store, NOW - timedelta(minutes=5))
    store.record(sighting("hers", STRANGER, NOW + timedelta(seconds=2)))
    assert [clip.identifier for clip in store.clips.of(store.sighting("hers"))] == [shows]
    store.record(sighting("later", STRANGER, NOW + timedelta(seconds=30)))
    assert store.clips.of(store.sighting("later")) == []


def test_a_film_is_found_by_the_beginning_of_its_identifier(store: Store) -> None:
    identifier = film(store)
    assert store.clips.find(identifier[:10]).identifier == identifier
    film(store)
    with pytest.raises(UsageError, match="2 films begin with"):
        store.clips.find(identifier[:10])
    with pytest.raises(UsageError, match="there is no film"):
        store.clips.find("2001")


def test_films_go_by_age_by_size_and_with_their_sightings(store: Store) -> None:
    films = [film(store, NOW - timedelta(days=days)) for days in (40, 9, 5, 1)]
    size = path_of(store, films[0]).stat().st_size
    keep = ClipsConfig(keep_days=20)
    store.prune(StoreConfig(keep_days=30), NOW)
    assert left(store) == films, "without the settings of films none is removed"
    store.prune(StoreConfig(keep_days=30), NOW, keep)
    assert left(store) == films[1:]
    store.prune(StoreConfig(keep_days=7), NOW, keep)
    assert left(store) == films[2:]
    store.prune(StoreConfig(keep_days=7), NOW, ClipsConfig(max_mb=1.5 * size / 1e6))
    assert left(store) == films[3:]
    store.prune(StoreConfig(keep_days=0), NOW + timedelta(days=999), ClipsConfig(keep_days=0))
    assert left(store) == films[3:]


def test_the_oldest_films_make_room_for_the_next(store: Store) -> None:
    old, new = film(store, NOW - timedelta(days=2)), film(store, NOW - timedelta(days=1))
    size = path_of(store, old).stat().st_size
    store.clips.begin(new_identifier(NOW), "front door", NOW, most_mb=1.5 * size / 1e6).close()
    assert left(store)[0] == new


def test_a_removed_person_is_removed_from_every_film(store: Store) -> None:
    store.add_person("Zoë", known_to(1))
    hers, beside = film(store), film(store, camera="gate")
    nearly, other = film(store, NOW + timedelta(seconds=15)), film(store, NOW + timedelta(minutes=5))
    store.record(sighting("hers", known("Zoë"), NOW + timedelta(seconds=3)))
    store.remove_person("Zoë")
    assert left(store) == [other], (hers, beside, nearly)


def test_the_films_of_a_long_visit_go_together_though_its_end_is_not_known_yet(store: Store) -> None:
    store.add_person("Zoë", known_to(1))
    for start in (0, 7, 14, 21):  # six seconds each
        film(store, NOW + timedelta(seconds=start))
    later = film(store, NOW + timedelta(seconds=60))
    store.record(sighting("hers", known("Zoë"), NOW - timedelta(seconds=9)))
    store.remove_person("Zoë")
    assert left(store) == [later]


def test_a_forgotten_visitor_is_removed_from_every_film(store: Store) -> None:
    film(store, datetime(2024, 5, 1, 12, tzinfo=UTC))
    number = visit(store, "first", 3, 0)
    assert number is not None
    seen = store.sighting("first")
    shows = film(store, seen.first_seen - timedelta(seconds=2))
    kept = film(store, seen.first_seen + timedelta(hours=2))
    store.visitors.forget(number)
    assert shows not in left(store)
    assert kept in left(store)


def test_a_film_that_is_being_written_is_removed_too_and_not_written_on(store: Store) -> None:
    store.add_person("Zoë", known_to(1))
    began = datetime.now(UTC)
    with closing(store.clips.begin(new_identifier(began), "front door", began, most_mb=1000)) as one:
        one.write(FILM)
        one.flush()
        # A file's time of change is up to a tick of the kernel's clock behind: the visit must not begin after it.
        store.record(sighting("hers", known("Zoë"), began - timedelta(seconds=1)))
        store.remove_person("Zoë")
        assert left(store) == []
        one.write(b"more")
        with pytest.raises(ClipRemovedError):
            one.flush()
    assert left(store) == []


def test_films_are_read_with_the_new_key_after_a_rotation_and_not_with_the_old(store: Store, state_dir: Path) -> None:
    whole, broken = film(store), film(store, NOW + timedelta(seconds=30), whole=False)
    began = datetime.now(UTC)
    in_progress = store.clips.begin(new_identifier(began), "front door", began, most_mb=1000)
    in_progress.write(FILM)
    old = read_key(state_dir / "key")
    (state_dir / "copy").mkdir()
    shutil.copy(state_dir / "key", state_dir / "copy" / "key")
    for _ in range(3):
        store.rotate_key()
    assert media(store, whole) == media(store, broken) == FILM
    in_progress.finish(3.0)
    in_progress.close()
    assert media(store, left(store)[-1]) == FILM
    assert bytes.fromhex(old.identifier) not in path_of(store, whole).read_bytes()[:HEAD]


def test_a_rotation_that_is_interrupted_leaves_films_that_either_key_reads(
    store: Store, state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    identifier = film(store)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("facesecure.storage.key_rotation._sign_files_again", killed)
    with pytest.raises(KeyboardInterrupt):
        store.rotate_key()
    assert media(store, identifier) == FILM
    monkeypatch.undo()
    store.rotate_key()
    with Store.open(state_dir) as again:
        assert media(again, identifier) == FILM


def test_a_film_begun_while_the_key_is_replaced_is_read_with_the_new_one(store: Store, state_dir: Path) -> None:
    began = datetime.now(UTC)
    one = store.clips.begin(new_identifier(began), "front door", began, most_mb=1000)
    with Store.open(state_dir) as other:
        other.rotate_key()
    one.write(FILM)
    one.finish(6.0)
    one.close()
    assert media(store, left(store)[0]) == FILM


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A store on a disk of 8 MB, of which films leave a quarter free."""
    monkeypatch.setattr(clips_module, "RESERVE", 2_000_000)
    monkeypatch.setattr("facesecure.storage.clip_archive.RESERVE", 2_000_000)
    with small_disk(tmp_path / "disk", "8m") as folder, Store.open(folder / "state") as store:
        yield store


def test_a_full_disk_ends_a_film_that_plays_and_the_oldest_make_room(small: Store) -> None:
    old = film(small, NOW - timedelta(days=1), data=FILM * 4)
    began = datetime.now(UTC)
    one = small.clips.begin(new_identifier(began), "front door", began, most_mb=1000)
    with pytest.raises(DiskFullError):
        deque(map(partial(write_and_flush, one), [FILM] * 20))
    one.close()
    (_, new) = left(small)
    assert media(small, new).startswith(FILM * 3)
    small.record(sighting("after", STRANGER, NOW))
    small.clips.begin(new_identifier(began), "front door", began, most_mb=1000).close()
    assert old not in left(small), "the oldest film made room"


def test_a_disk_that_others_have_filled_cuts_a_film_at_its_last_whole_chunk(small: Store) -> None:
    began = datetime.now(UTC)
    one = small.clips.begin(new_identifier(began), "front door", began, most_mb=1000)
    one.write(FILM[:100_000])
    one.flush()
    filler = fill(folder_of(small))
    with pytest.raises(OSError, match="No space left"):
        deque(map(one.write, [FILM] * 20))
    one.close()
    filler.unlink()
    got = media(small, left(small)[0])
    assert got.startswith(FILM[:100_000])


def test_only_the_films_of_that_hour_are_opened_for_a_sighting(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(30):
        film(store, NOW - timedelta(hours=number), data=b"short")
    store.record(sighting("hers", STRANGER, NOW + timedelta(seconds=2)))
    opened, reader = list[str](), Clips.reader

    def counted(self: Clips, identifier: str, cipher: FieldCipher) -> ClipReader:
        opened.append(identifier)
        return reader(self, identifier, cipher)

    monkeypatch.setattr(Clips, "reader", counted)
    assert len(store.clips.of(store.sighting("hers"))) == 1
    assert len(opened) <= 2
