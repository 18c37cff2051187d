"""CelebA's two parts as one set of people, divided so that nobody and no photo is in two parts.

``celeba-small`` has photos of 89x109 pixels; their faces are detected and aligned by the daemon, like everybody's.
``celeba-aligned`` was cut by it from the whole photos. A photo that is in both is taken from the latter.

CelebA has numbers, not names, so nobody can be compared with LFW's list of names. Its authors state that no person of
CelebFaces+, of which CelebA is made, is in LFW. In addition, people are left out of training and validation if the
bundled network takes a photo of theirs and one of LFW's test for the same person.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.classifiers.manifest import Entry, require_no_leak, without_repeats, write
from facesecure.recognition.embedder import ModelEmbedder
from facesecure.vision.images.photos import read_photo
from facesecure.vision.inference.model_card import load_model
from facesecure_training.common.embeddings import photo_path, read_pairs
from facesecure_training.datasets.near_duplicates import thumbnail
from facesecure_training.datasets.splitting import divide
from facesecure_training.evaluation.photo_embeddings import embed_photos
from facesecure_training.evaluation.setting import Setting

SHARES = {"train": 0.78, "validation": 0.10, "test": 0.12}
TEST_FIRST = ("test", "validation", "train")
"""Of two photos that repeat each other, the one in the earlier of these parts is kept."""
REPEAT = 0.98
"""Correlation of two thumbnails from which they are one photo: of two people's, 0.95 are often merely alike."""
SAME_PERSON = 0.65
"""Cosine of the bundled network. No pair of two people among LFW's 1,500 reaches 0.48; of one person's, two in three
do reach 0.65."""
SMALL, ALIGNED = "small", "aligned"
PART_OF_ARTICLE = "train-small"
"""The people and photos of the training part that are in ``celeba-small``: all the article's stage may see."""


@dataclass(frozen=True, slots=True)
class Face:
    """One aligned face: its person, the number of CelebA's photo, where it is from, and its file."""

    person: str
    number: str
    origin: str
    path: Path


def faces_in(folder: Path, origin: str) -> list[Face]:
    """Return the faces in the class folders of ``folder``; a file begins with the number of its photo."""
    files = sorted(path for suffix in ("png", "jpg") for path in folder.glob(f"[!.]*/*.{suffix}"))
    return [Face(path.parent.name, path.name.split(".")[0], origin, path.absolute()) for path in files]


def without_same_photos(small: Sequence[Face], aligned: Sequence[Face]) -> list[Face]:
    """Return both, without the photos of ``small`` that are in ``aligned`` too."""
    known = {face.number for face in aligned}
    return [*aligned, *(face for face in small if face.number not in known)]


def divided(faces: Sequence[Face], seed: int) -> dict[str, list[Face]]:
    """Return the faces of each part; every person is in one, and no photo nearly repeats another."""
    parts = divide(Counter(face.person for face in faces), SHARES, seed)
    part_of = {person: part for part, people in parts.items() for person in people}
    found = {part: [face for face in faces if part_of[face.person] == part] for part in TEST_FIRST}
    by_path = {str(face.path): face for part in TEST_FIRST for face in found[part]}
    kept = set(without_repeats({name: thumbnail(read_photo(face.path)) for name, face in by_path.items()}, REPEAT))
    return {part: [face for face in found[part] if str(face.path) in kept] for part in TEST_FIRST}


def like_somebody_tested(parts: Mapping[str, Sequence[Face]], tested: NDArray[np.float32]) -> set[str]:
    """Return the people of training and validation of whom a face is within SAME_PERSON of one ``tested`` (n, d)."""
    faces = [face for part in ("train", "validation") for face in parts[part]]
    if not len(tested):
        return set()
    embed = ModelEmbedder(load_model("mobilefacenet")).embed
    return {face.person for face in faces if float((tested @ embed(read_photo(face.path))).max()) > SAME_PERSON}


def tested_faces(data: Path, cache: Path) -> NDArray[np.float32]:
    """Return the bundled network's embeddings of the photos of LFW's test, (n, 192)."""
    lfw = data / "lfw-dev"
    names = {name for pair in read_pairs(lfw / "pairs.csv") for name in (pair.first, pair.second)}
    photos = [photo_path(lfw / "images", name) for name in names]
    found = embed_photos(photos, Setting("mobilefacenet", "mtcnn", None, cache, None))
    return np.stack([vector for vector in found.values() if vector is not None])


def join(small: Path, aligned: Path, tested: Callable[[], NDArray[np.float32]], out: Path, seed: int) -> dict[str, Any]:
    """Link the divided faces below ``out`` as PART/PERSON/photo, and write manifest.csv and summary.json.

    ``tested`` returns the embeddings of the test's faces. Return the summary: numbers of people and photos in each
    part, what was left out, and the manifest's SHA-256. What is there is not made again.
    """
    summary = out / "summary.json"
    if summary.exists():
        found: dict[str, Any] = json.loads(summary.read_text())
        return found
    every = faces_in(small, SMALL), faces_in(aligned, ALIGNED)
    joined = without_same_photos(*every)
    parts = divided(joined, seed)
    suspects = like_somebody_tested(parts, tested())
    kept = {part: [face for face in of if part == "test" or face.person not in suspects] for part, of in parts.items()}
    entries = list(_entries(kept))
    require_no_leak(entries)
    write(out / "manifest.csv", entries)
    _link(out, kept)
    document = {
        "parts": {part: _counted(of) for part, of in {**kept, PART_OF_ARTICLE: _small(kept["train"])}.items()},
        "in both": sum(map(len, every)) - len(joined),
        "repeats": len(joined) - sum(map(len, parts.values())),
        "people like one of the test": len(suspects),
        "sha256": hashlib.sha256((out / "manifest.csv").read_bytes()).hexdigest(),
    }
    summary.write_text(json.dumps(document, indent=1))
    return document


def _entries(parts: Mapping[str, Sequence[Face]]) -> Iterator[Entry]:
    for part, faces in parts.items():
        yield from (Entry(part, face.person, face.person, f"{face.origin}/{face.number}") for face in faces)


def _small(faces: Iterable[Face]) -> list[Face]:
    return [face for face in faces if face.origin == SMALL]


def _counted(faces: Sequence[Face]) -> dict[str, int]:
    people = Counter(face.person for face in faces)
    return {"people": len(people), "photos": len(faces), "with two": sum(count > 1 for count in people.values())}


def _link(out: Path, parts: Mapping[str, Sequence[Face]]) -> None:
    for part, faces in {**parts, PART_OF_ARTICLE: _small(parts["train"])}.items():
        for face in faces:
            link = out / part / face.person / f"{face.number}-{face.origin}{face.path.suffix}"
            link.parent.mkdir(parents=True, exist_ok=True)
            if not link.is_symlink():
                link.symlink_to(face.path)
