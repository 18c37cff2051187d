"""The bundled models by group of people: where they are worse, as far as the photos at hand can tell.

    python -m benchmarks.groups --out build/report [--data ../shared/data] [--results training/results]

LFW states neither sex nor age nor skin tone. Two proxies are used, and both are weak. *Sex by given name*: names that
are mostly women's or men's (benchmarks/lists/given-names.txt); all other people are left out. *Tone of the cheeks*: the
individual typology angle (Chardon, Cretois and Hourseau, 1991) of both cheeks in the aligned crop, the middle one of a
person's photos; press photos have flashes, make-up and colour casts, so that it mixes skin with light. Of age nothing
is known. Measured are the face detector on small and dark photos, the person detector, and the embedder. The crops of
``benchmarks.report_2020`` in --out are used again. Some ten minutes on two cores; a detector that is done is kept.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks import training_page
from benchmarks.about import about, line
from benchmarks.classifiers import crops, embedding
from benchmarks.classifiers.manifest import Photos
from benchmarks.classifiers.summary import rounded
from benchmarks.lookalikes import arguments, faces
from benchmarks.steps import Steps
from benchmarks.wording import compared, item, paragraph, percent, table
from facesecure.config.schema import DetectorConfig
from facesecure.domain import Image
from facesecure.storage.trusted_models import load_model
from facesecure.vision.detection.factory import build_detector
from facesecure.vision.detection.subjects import SubjectDetector
from facesecure.vision.images.photos import read_photo
from facesecure_training.common import corruptions
from facesecure_training.common.progress import with_progress
from facesecure_training.evaluation.bootstrap import Tally, nested, paired
from facesecure_training.evaluation.rates import threshold_at

NAMES = Path(__file__).parent / "lists" / "given-names.txt"
SEED, RATE, SURE = 0, 0.001, 0.4
CHEEKS = ((62, 82, 24, 44), (62, 82, 68, 88))
"""Top, bottom, left and right of both cheeks in an aligned crop of 112 pixels."""
TONES = {"light cheeks": (41.0, 91.0), "cheeks of middle tone": (10.0, 41.0), "dark cheeks": (-91.0, 10.0)}
"""Bounds of the angle, in degrees; Chardon's six classes, two by two."""
SMALL, DARK = 0.3, 0.15
"""A face of some 25 pixels, and the share of light left."""
MISTAKEN = "two people are taken for one"
Vectors = Mapping[str, embedding.Vectors]
FOUND = {
    "MTCNN: a face is found, photo at 30 % of its size": "small",
    "MTCNN: a face is found, 15 % of the light": "dark",
    "SSD-MobileNetV2: a person is found, 15 % of the light": "person",
}


def main(words: Sequence[str] | None = None) -> None:
    """Measure, print, and write the results on request."""
    options = arguments(__doc__, words)
    data, steps = options.data.resolve(), Steps(options.out)
    images = data / "lfw-dev/images"
    aligned, photos, vectors = faces(steps, images)
    document = measure(images, aligned, photos, vectors, options.out / "groups-found.json")
    document["about"] = about(["python", "-m", "benchmarks.groups", *(words or sys.argv[1:])], SEED, data)
    if options.results:
        training_page.write("groups", document, options.results)
    print("\n".join(page(document)))


def measure(
    images: Path, aligned: Path, photos: Photos, vectors: Mapping[str, embedding.Vectors], kept: Path
) -> dict[str, Any]:
    """Return every figure by group; what the detectors found is kept in the file ``kept``."""
    tones = {name: tone(aligned, some) for name, some in photos.items()}
    groups = {"everybody": sorted(photos), **by_name(sorted(photos), read_names()), **by_tone(tones)}
    found = found_in(images, sorted(photos), kept)
    several = {name: some for name, some in vectors.items() if len(some) > 1}
    limit = _threshold(several)
    rows = {
        what: {group: _share_found(found[key], members) for group, members in groups.items()}
        for what, key in FOUND.items()
    }
    for what, share in (("a person is recognised", _recognised), (MISTAKEN, _mistaken)):
        rows[f"MobileFaceNet: {what}"] = {group: share(several, members, limit) for group, members in groups.items()}
    return {"groups": {group: len(members) for group, members in groups.items()}, "rows": rows}


def page(document: Mapping[str, Any]) -> list[str]:
    """Return the section, as lines of Markdown."""
    rows = document["rows"]
    return [
        "## The bundled models by group of people",
        "",
        *paragraph(
            "LFW states neither sex nor age nor skin tone. Sex is guessed by given names, skin tone by the colour of",
            "the cheeks in press photos, which mixes skin with light, flash and make-up: both proxies are weak, and a",
            "difference that they show may have another cause. Of age nothing is known. LFW's photos were found by a",
            "face detector of 2001 and show mostly men of public life: nobody knows how children, or faces that this",
            f"detector missed, fare. The embedder's threshold is the one for {RATE:.1%} of all pairs; two people of",
            "one group are compared with each other, and two of one sex are more alike than any two, so that both",
            "groups by name must be expected above everybody. After each share stand its interval, over people, and",
            "how many people it is of: the embedder needs two photos of each.",
        ),
        "",
        line(document["about"]),
        "",
        *table(["", *document["groups"]], [[what, *map(_cell, by.values())] for what, by in rows.items()]),
        "",
        *(text for what, by in rows.items() for text in _worse(what, by)),
    ]


def _cell(one: Mapping[str, Any] | None) -> str:
    return f"{percent(one)}, {one['people']}" if one else "-"


def read_names(path: Path = NAMES) -> dict[str, frozenset[str]]:
    """Return given names by sex."""
    lines = [text for text in path.read_text().splitlines() if text and not text.startswith("#")]
    return {sex: frozenset(names.split()) for sex, _, names in (text.partition(": ") for text in lines)}


def by_name(people: Sequence[str], names: Mapping[str, frozenset[str]]) -> dict[str, list[str]]:
    """Return the people whose given name is of one sex; names that are in no list are left out."""
    return {
        f"given name mostly {sex}'s": [person for person in people if person.split("_")[0] in some]
        for sex, some in names.items()
    }


def by_tone(tones: Mapping[str, float]) -> dict[str, list[str]]:
    """Return the people by the tone of their cheeks, an angle in degrees."""
    return {
        group: sorted(name for name, angle in tones.items() if low <= angle < high)
        for group, (low, high) in TONES.items()
    }


def tone(aligned: Path, photos: Sequence[str]) -> float:
    """Return the middle typology angle of a person's photos, in degrees."""
    return float(np.median([angle_of(crops.read(aligned / photo)) for photo in photos[:4]]))


def angle_of(crop: Image) -> float:
    """Return the individual typology angle, -90 to 90 degrees, of the cheeks in an aligned crop: higher is lighter."""
    lab = cv2.cvtColor((crop / 255).astype(np.float32), cv2.COLOR_RGB2LAB)
    cheeks = np.concatenate([lab[top:bottom, left:right].reshape(-1, 3) for top, bottom, left, right in CHEEKS])
    lightness, _, yellow = np.median(cheeks, axis=0)
    return float(np.degrees(np.arctan2(lightness - 50, max(float(yellow), 1e-3))))


def found_in(images: Path, people: Sequence[str], kept: Path) -> dict[str, dict[str, bool]]:
    """Return, by kind of search, whether something is found in the first photo of each person."""
    found: dict[str, dict[str, bool]] = json.loads(kept.read_text()) if kept.exists() else {}
    for key, search in _searches().items():
        if set(found.get(key, ())) != set(people):
            found[key] = {name: search(read_photo(_first(images / name))) for name in with_progress(people, key)}
            kept.write_text(json.dumps(found))
    return found


def _first(folder: Path) -> Path:
    return min(folder.glob("*.jpg"))


def _searches() -> dict[str, Callable[[Image], bool]]:
    faces_in = build_detector(DetectorConfig()).detect
    people_in = SubjectDetector(load_model("ssd-mobilenetv2")).detect

    def dark(image: Image) -> Image:
        return corruptions.darker(DARK)(image, np.random.default_rng(SEED))

    return {
        "small": lambda image: bool(faces_in(corruptions.shrink(image, SMALL))),
        "dark": lambda image: bool(faces_in(dark(image))),
        "person": lambda image: any(one.subject == "person" and one.score >= SURE for one in people_in(dark(image))),
    }


def _share_found(found: Mapping[str, bool], members: Sequence[str]) -> dict[str, Any] | None:
    right = np.array([int(found[name]) for name in members], np.int64)
    return rounded(asdict(nested([Tally(right, np.ones_like(right))], replicates=500))) if len(right) else None


def _two(vectors: Mapping[str, embedding.Vectors], members: Sequence[str]) -> NDArray[np.float64]:
    """Return the cosine of each member's first photo (rows) with each one's second (columns)."""
    first, second = (np.stack([vectors[name][place] for name in members]).astype(np.float64) for place in (0, 1))
    return np.asarray(first @ second.T, np.float64)


def _threshold(vectors: Mapping[str, embedding.Vectors]) -> float:
    scores = _two(vectors, list(vectors))
    return threshold_at(scores[~np.eye(len(scores), dtype=bool)], RATE)


def _recognised(vectors: Vectors, members: Sequence[str], limit: float) -> dict[str, Any] | None:
    known = [name for name in members if name in vectors]
    if not known:
        return None
    right = (np.diag(_two(vectors, known)) >= limit).astype(np.int64)
    return rounded(asdict(nested([Tally(right, np.ones_like(right))], replicates=500)))


def _mistaken(vectors: Vectors, members: Sequence[str], limit: float) -> dict[str, Any] | None:
    known = [name for name in members if name in vectors]
    if len(known) < 2:
        return None
    pairs = np.argwhere(~np.eye(len(known), dtype=bool))
    taken = (_two(vectors, known)[pairs[:, 0], pairs[:, 1]] >= limit).astype(np.int64)
    return rounded(asdict(paired(pairs, taken, replicates=100)))


def _worse(what: str, by: Mapping[str, Any]) -> list[str]:
    """Return a line for each group that is surely worse than everybody, or one that says that none is."""
    bad = MISTAKEN in what
    everybody = by["everybody"]
    worse = [
        group
        for group, one in list(by.items())[1:]
        if one and compared(one, everybody, "more", "fewer", "") == ("more" if bad else "fewer")
    ]
    if not worse:
        return item(f"{what}: no group is surely worse than everybody.")
    return item(f"{what}: **surely worse** than everybody: {'; '.join(worse)}.")


if __name__ == "__main__":
    main()
