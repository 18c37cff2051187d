"""What a whole evening leaves on the disk: for its owner only, unreadable, and gone when somebody is removed."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path

import pytest

from facesecure.app.assembly import run
from facesecure.camera.synthetic.portraits import GRACE_HOPPER
from facesecure.storage.store import Store
from facesecure.vision.images.codec import png_bytes
from support.faults.traces import all_sealed_values, bytes_of, found
from support.service.commandline import CommandLine, own_settings, write_picture
from support.service.journey import config_for

GRACE = GRACE_HOPPER.name


@pytest.fixture(scope="module")
def lived_in(household: Path, door_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The household's state after an evening at the door."""
    state = tmp_path_factory.mktemp("at_rest") / "state"
    shutil.copytree(household, state)
    run(config_for(door_clip), state, exit_at_end=True)
    return state


@pytest.fixture
def facesecure(lived_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    """The command line on a copy of it."""
    state = own_settings(tmp_path, monkeypatch)
    shutil.copytree(lived_in, state)
    return CommandLine(state, capfd)


def others_can_use(state: Path) -> dict[str, str]:
    """Files and folders with their modes, where anybody but the owner may do anything."""
    modes = {path: stat.S_IMODE(path.lstat().st_mode) for path in (state, *state.rglob("*"))}
    wanted = {path: 0o700 if path.is_dir() else 0o600 for path in modes}
    return {str(path.relative_to(state)): f"{mode:04o}" for path, mode in modes.items() if mode != wanted[path]}


def test_every_file_is_its_owners_only_whatever_was_done(facesecure, lived_in):
    assert others_can_use(lived_in) == {}
    stranger = facesecure("visitors", "list", "--json").json["visitors"][0]["id"]
    for words in (
        ("calibrate",),
        ("people", "rename", GRACE, "Amazing Grace"),
        ("visitors", "forget", stranger, "--yes"),
        ("key", "rotate", "--yes"),
        ("people", "list"),
    ):
        outcome = facesecure(*words)
        assert outcome.code == 0, outcome.err
    assert others_can_use(facesecure.state) == {}
    assert {"calibration.json", "facesecure.db", "key", "backups", "snapshots"} <= {
        path.name for path in facesecure.state.iterdir()
    }


def test_no_face_lies_there_plain(lived_in):
    with Store.open(lived_in) as store:
        enrolled = store.faces_of(GRACE)
        seen = [face.seen for sighting in store.each_sighting() for face in store.faces_seen(sighting.identifier)]
        templates = store.templates()
    assert enrolled
    assert seen
    crops = [face.image for face in enrolled] + [face.face.image for face in seen]
    embeddings = [one.embedding for one in (*enrolled, *seen, *templates)]
    plain = [png_bytes(crop)[100:200] for crop in crops] + [crop.tobytes()[5000:5100] for crop in crops]
    plain += [embedding.astype("<f4").tobytes()[:32] for embedding in embeddings]
    assert found(lived_in, plain) == []
    assert b"\x89PNG\r\n\x1a\n" not in bytes_of(lived_in)


def test_whoever_is_removed_is_nowhere_any_more(facesecure):
    assert facesecure("calibrate").code == 0
    with Store.open(facesecure.state) as store:
        pictures = [sighting.snapshot for sighting in store.sightings(name=GRACE)]
        jpegs = [picture.read_bytes()[1000:1100] for picture in pictures]
        theirs = all_sealed_values(facesecure.state)
        stranger = {face.seen.taken_at for s in store.each_sighting() for face in store.faces_seen(s.identifier)}
    assert pictures
    assert len(found(facesecure.state, [*jpegs, *theirs])) == len(jpegs) + len(theirs)
    words = [GRACE.encode(), GRACE.casefold().encode(), json.dumps(GRACE).encode()]
    assert found(facesecure.state, words[:1]) == words[:1]

    assert facesecure("people", "remove", GRACE, "--yes").code == 0

    left = all_sealed_values(facesecure.state)
    assert left, "the stranger's faces stay"
    assert sorted(found(facesecure.state, theirs)) == sorted(left)
    assert len(left) < len(theirs)
    assert found(facesecure.state, [*jpegs, *words]) == []
    assert not any(picture.exists() for picture in pictures)
    with Store.open(facesecure.state) as store:
        kept = {face.seen.taken_at for s in store.each_sighting() for face in store.faces_seen(s.identifier)}
        assert kept < stranger
        assert "somebody forgotten" in {sighting.name for sighting in store.sightings()}
    assert "somebody forgotten" in facesecure("events", "list").out


def test_a_copy_under_a_passphrase_brings_the_family_back_on_another_machine(facesecure, tmp_path, monkeypatch):
    monkeypatch.setenv("FACESECURE_PASSPHRASE", "four random words")
    assert facesecure("people", "export", tmp_path / "family.faces").code == 0
    elsewhere = tmp_path / "elsewhere"
    assert facesecure("--state-dir", elsewhere, "people", "import", tmp_path / "family.faces").code == 0
    assert (elsewhere / "key").read_bytes() != (facesecure.state / "key").read_bytes()
    picture = write_picture(tmp_path / "grace.png", GRACE_HOPPER.image())
    seen = facesecure("--state-dir", elsewhere, "identify", picture, "--json").json
    assert GRACE in json.dumps(seen)
