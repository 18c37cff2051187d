"""Evaluate faces lit by one lamp each (``../shared/data/lighting``): similarity, and the daemon's verdicts.

The images are cropped so tightly that detectors miss most faces. They get a border of their own blurred edge; the
landmarks of each person are the median over the images in which the detector is most confident, which holds for all
images of that person, because head and camera did not move.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from facesecure.config import DetectorConfig, QualityConfig, VerdictConfig
from facesecure.domain import Box, Embedding, Face, Image, Landmarks, Recognition, VerdictKind
from facesecure.domain.interfaces import Embedder
from facesecure.recognition.decision import VerdictRule
from facesecure.recognition.evidence import Evidence
from facesecure.recognition.score_model import ScoreModel
from facesecure.recognition.templates import template_of
from facesecure.vision.detection.factory import build_detector
from facesecure.vision.images.quality import examine

BORDER = 48
ANGLES = ((0, 10), (11, 25), (30, 50), (51, 75), (76, 100), (101, 130))
"""Ranges of the lamp's horizontal angle, degrees."""
_SURE = 0.95
_FRAMES = 6
_STEP = 0.4


@dataclass(frozen=True, eq=False)
class Lit:
    """One image: the person, the lamp's horizontal and vertical angle (degrees), the bordered image, the face."""

    person: str
    aside: int
    up: int
    image: Image
    face: Face

    def crop(self) -> Image:
        return examine(self.image, self.face, QualityConfig()).image


def read(folder: Path) -> list[Lit]:
    """Read the images of all people under all lamps."""
    detector = build_detector(DetectorConfig(confidence=0.8, min_face=60))
    return [lit for person in sorted(folder.iterdir()) if person.is_dir() for lit in _of_one(person, detector.detect)]


def _of_one(person: Path, detect: Callable[[Image], Sequence[Face]]) -> Iterator[Lit]:
    images = [(path, *_lamp(path), bordered(path)) for path in sorted(person.glob("*.pgm"))]
    frontal = [face for _, aside, _, image in images if abs(aside) <= 25 for face in detect(image)]
    sure = [face.landmarks for face in frontal if face.confidence >= _SURE and face.eye_distance > 50]
    landmarks = np.median(np.stack(sure), axis=0).astype(np.float32)
    for _, aside, up, image in images:
        yield Lit(person.name, abs(aside), up, image, face_around(landmarks))


def _lamp(path: Path) -> tuple[int, int]:
    found = re.search(r"A([+-]\d+)E([+-]\d+)", path.name)
    if found is None:
        raise ValueError(f"{path.name} does not state the position of the lamp")
    return int(found[1]), int(found[2])


def bordered(path: Path) -> Image:
    """Read an image as uint8 RGB with a border of BORDER pixels of its own blurred edge."""
    grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    wide = cv2.GaussianBlur(cv2.copyMakeBorder(grey, *[BORDER] * 4, cv2.BORDER_REPLICATE), (0, 0), 15)
    wide[BORDER:-BORDER, BORDER:-BORDER] = grey
    return np.repeat(np.asarray(wide, np.uint8)[..., None], 3, axis=2)


def face_around(landmarks: Landmarks) -> Face:
    """Return a confident detection with these landmarks."""
    (left, top), (right, bottom) = landmarks.min(0), landmarks.max(0)
    reach = (right - left) / 2
    box = Box(float(left - reach), float(top - reach), float(right + reach), float(bottom + reach))
    return Face(box, landmarks, 0.99)


def well_lit(images: Sequence[Lit], person: str) -> list[int]:
    """Return the five images of ``person`` that are lit most from the front, as for enrolment."""
    own = [number for number, lit in enumerate(images) if lit.person == person]
    return sorted(own, key=lambda number: images[number].aside + abs(images[number].up))[:5]


Correction = Callable[[Image], Image]


def similarities(
    images: Sequence[Lit], crops: Sequence[Image], embed: Callable[[Image], Embedding], correct: Correction
) -> dict[str, dict[str, float]]:
    """Return by angle the mean and 10th percentile of the cosine to the own template, and the 99th to others'."""
    vectors = np.stack([embed(correct(crop)) for crop in crops])
    enrolled = {person: well_lit(images, person) for person in sorted({lit.person for lit in images})}
    templates = {person: template_of(vectors[chosen]) for person, chosen in enrolled.items()}
    left_out = {number for chosen in enrolled.values() for number in chosen}
    found = {}
    for low, high in ANGLES:
        here = [n for n, lit in enumerate(images) if low <= lit.aside <= high and n not in left_out]
        own = [float(vectors[n] @ templates[images[n].person]) for n in here]
        others = [float(vectors[n] @ t) for n in here for who, t in templates.items() if who != images[n].person]
        found[f"{low}-{high}"] = {
            "own_mean": float(np.mean(own)),
            "own_p10": float(np.percentile(own, 10)),
            "others_p99": float(np.percentile(others, 99)),
        }
    return found


def verdicts(images: Sequence[Lit], embedder: Embedder, scores: ScoreModel, seed: int) -> dict[str, dict[str, int]]:
    """Return by angle the verdicts on a household member under that lamp, over a few frames, among four people."""
    chance = np.random.default_rng(seed)
    people = sorted({lit.person for lit in images})
    enrolled = {person: well_lit(images, person) for person in people}
    templates = {
        person: template_of(np.stack([embedder.embed(images[n].crop()) for n in chosen]))
        for person, chosen in enrolled.items()
    }
    rule = VerdictRule(VerdictConfig(), scores)
    found = {f"{low}-{high}": dict.fromkeys((*VerdictKind, "wrong name"), 0) for low, high in ANGLES}
    for number, lit in enumerate(images):
        if number in enrolled[lit.person]:
            continue
        others = list(chance.choice([name for name in people if name != lit.person], 3, replace=False))
        household = {name: templates[name] for name in (lit.person, *others)}
        evidence = _visit(lit, household, embedder, chance)
        verdict = rule.decide(evidence)
        wrong = verdict.name not in (None, lit.person)
        angle = next(f"{low}-{high}" for low, high in ANGLES if low <= lit.aside <= high)
        found[angle]["wrong name" if wrong else verdict.kind] += 1
    return found


def _visit(lit: Lit, household: dict[str, Embedding], embedder: Embedder, chance: np.random.Generator) -> Evidence:
    """Return the evidence of a few frames of one image, each with its own sensor noise and landmark jitter."""
    evidence = Evidence()
    for frame in range(_FRAMES):
        noisy = np.clip(lit.image + chance.normal(0, 2, lit.image.shape), 0, 255).astype(np.uint8)
        moved = face_around((lit.face.landmarks + chance.normal(0, 2, (5, 2))).astype(np.float32))
        face = examine(noisy, moved, QualityConfig())
        if not face.quality.usable:
            evidence = evidence.refuse(face.quality)
            continue
        embedding = embedder.embed(face.image)
        seen = Recognition({name: float(template @ embedding) for name, template in household.items()}, embedding)
        evidence = evidence.add(seen, face.quality, frame * _STEP)
    return evidence
