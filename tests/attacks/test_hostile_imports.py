"""Exports that others wrote: refused in a sentence, in bounded memory; what is imported is judged by its crops."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from facesecure.camera.synthetic.clip import enrolment_images
from facesecure.camera.synthetic.portraits import EILEEN_COLLINS
from facesecure.domain.records import EnrolledFace
from facesecure.storage import passphrase
from facesecure.storage.archive import read_people, write_people
from facesecure.storage.store import Store
from facesecure.vision.images.codec import png_bytes
from support.bombs.archives import CROP, entries_of, hostile_manifests, hostile_zips, packed
from support.bundled_model import faces_of
from support.faults.table import attack
from support.service.commandline import CommandLine, own_settings, write_picture

_GROWTH = 700_000_000
"""Bytes that reading a file of at most 256 MB may take: the file, its parsed manifest, its crops."""


@pytest.fixture(autouse=True)
def cheap_passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passphrase, "COST", (1 << 10, 8, 1))


@pytest.fixture
def facesecure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(own_settings(tmp_path, monkeypatch), capfd)


@pytest.fixture(scope="module")
def grace() -> list[EnrolledFace]:
    return faces_of(*enrolment_images(6))[:3]


def exported(folder: Path, people: dict[str, list[EnrolledFace]]) -> bytes:
    """The zip of an export of ``people``."""
    target = io.BytesIO()
    with Store.open(folder) as store:
        for name, faces in people.items():
            store.add_person(name, faces)
        write_people(store, target, lambda: "four random words")
    return passphrase.decrypt(target.getvalue(), "four random words")


def peak_of(act: Callable[[], object]) -> int:
    """By how many bytes this process grew at most during ``act``."""

    def status(line: str) -> int:
        found = re.search(rf"^{line}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
        assert found
        return int(found[1]) * 1024

    Path("/proc/self/clear_refs").write_text("5")
    before = status("VmRSS")
    act()
    return status("VmHWM") - before


@pytest.mark.slow
@attack(
    "export that is a bomb or a trap",
    how="compressed, repeated, linked, locked, overlapping, counted wrongly, a million entries, names that lead out of "
    "the folder, tar; manifests of millions of values, names that look the same, numbers that are none",
)
def test_a_hostile_export_is_refused_in_a_sentence_and_stores_nothing(facesecure, grace, tmp_path, saw) -> None:
    good = exported(tmp_path / "from", {"Grace": grace[:1]})
    inputs = {**hostile_zips(good), **hostile_manifests(good)}
    file, peaks = tmp_path / "hostile.zip", {}
    for what, data in inputs.items():
        file.write_bytes(data)
        outcome = None

        def tried() -> None:
            nonlocal outcome
            outcome = facesecure("people", "import", file, "--unencrypted")

        peaks[what] = peak_of(tried)
        assert outcome is not None
        assert outcome.code == 2, (what, outcome.out, outcome.err[-500:])
        said = [line for line in outcome.err.splitlines() if "WARNING" not in line]
        assert len(said) <= 4, (what, said)
        assert sum(map(len, said)) < 1_200, (what, outcome.err[:2000])
        assert "\x1b" not in outcome.err, what
        assert not facesecure.state.exists(), what
    assert max(peaks.values()) < _GROWTH, sorted(peaks.items(), key=lambda one: one[1])[-3:]
    peak = max(peaks.values()) / 1e6
    saw(f"{len(inputs)} of {len(inputs)} refused in a sentence, nothing stored; {peak:.0f} MB of memory at most")


def test_a_file_without_end_is_read_to_its_limit_only(facesecure) -> None:
    outcome = facesecure("people", "import", "/dev/zero", "--unencrypted")
    assert outcome.code == 2
    assert "has more than 256 MB" in outcome.err


@attack(
    "export with another's face under a name",
    how="the crops of one person with the embeddings of another; a stranger among a person's faces; faces of a person "
    "who is enrolled, under a new name; noise, a drawing and a grey square as crops",
)
def test_only_crops_count_and_each_is_judged(facesecure, grace, tmp_path, saw) -> None:
    eileen = faces_of(EILEEN_COLLINS.image())[0]
    noise = np.random.default_rng(0).integers(0, 256, (112, 112, 3), np.uint8)
    drawing = np.full((112, 112, 3), 200, np.uint8)
    cv2.rectangle(drawing, (30, 30), (80, 90), (20, 40, 160), 6)
    grey = np.full((112, 112, 3), 120, np.uint8)
    others = [replace(grace[0], image=image, source="other") for image in (eileen.image, noise, drawing, grey)]
    people = {
        "Grace": [*(replace(face, embedding=eileen.embedding) for face in grace), *others],
        "Mallory": [replace(face, embedding=eileen.embedding) for face in grace],
        "Noise": [replace(eileen, image=noise)],
    }
    file = tmp_path / "x.zip"
    file.write_bytes(exported(tmp_path / "from", people))
    outcome = facesecure("people", "import", file, "--unencrypted", "--json")
    assert outcome.code == 1, "two people are left out altogether"
    results = {one["name"]: one for one in outcome.json["people"]}
    assert [one["source"] for one in results["Grace"]["left_out"]] == ["other"] * 4
    assert "these photos show Grace" in results["Mallory"]["problem"]
    assert "no face of this person is left" in results["Noise"]["problem"]
    with Store.open(facesecure.state) as store:
        assert [person.name for person in store.people()] == ["Grace"]
        stored = store.faces_of("Grace")
    for face, true in zip(stored, grace, strict=True):
        assert np.array_equal(face.image, true.image)
        assert np.allclose(true.embedding, face.embedding, atol=1e-6), "the embedding is the crop's"
    portrait = write_picture(tmp_path / "eileen.png", EILEEN_COLLINS.image())
    (seen,) = facesecure("identify", portrait, "--json").json["images"][0]["faces"]
    assert seen["verdict"] == "stranger"
    saw("embeddings are made again, 8 of 8 faces of others left out and listed, both other names too")


def test_a_name_that_looks_like_an_enrolled_one_adds_nobody(facesecure, grace, tmp_path) -> None:
    with Store.open(facesecure.state) as store:
        store.add_person("Eileen", faces_of(EILEEN_COLLINS.image()))
    file = tmp_path / "x.zip"
    file.write_bytes(exported(tmp_path / "from", {"Ei\u200dleen": grace}))
    outcome = facesecure("people", "import", file, "--unencrypted")
    assert outcome.code == 2
    assert "looks the same as 'Eileen'" in outcome.err
    assert facesecure.people() == {"Eileen": 1}


def test_a_crop_that_is_a_bomb_is_refused(facesecure, grace, tmp_path) -> None:
    good = exported(tmp_path / "from", {"Grace": grace[:1]})
    large = png_bytes(np.zeros((113, 112, 3), np.uint8))
    for crop in (large, b"", b"text", large[:40], png_bytes(grace[0].image) + bytes(100)):
        file = tmp_path / "x.zip"
        file.write_bytes(packed({**entries_of(good), CROP: crop}))
        outcome = facesecure("people", "import", file, "--unencrypted")
        assert outcome.code == 2
        assert "not a PNG of 112x112 pixels" in outcome.err


def test_an_entry_is_read_to_its_limit_whatever_the_manifest_says(grace, tmp_path) -> None:
    good = exported(tmp_path / "from", {"Grace": grace[:1]})
    file = tmp_path / "x.zip"
    file.write_bytes(packed({**entries_of(good), CROP: bytes(64_001)}))
    with pytest.raises(Exception, match="more than 64,000 bytes"):
        read_people(file, lambda: "", unencrypted=True)
