"""How often a visit has the evidence that a face needs to disarm: the family's, and a stranger's.

    python -m benchmarks.face_disarm ../shared/data/celeba-aligned

The folder has aligned faces, a folder for each person. Households of four are drawn, with five photos each; a visit has
three other photos, of other days, so that it is harder than a real one. People whose mean faces are alike are left out:
CelebA has some twice, under two numbers.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from facesecure.app.face_disarm import SURE
from facesecure.config import FacesecureConfig
from facesecure.recognition.score_model import ScoreModel
from facesecure.services.model_stack import ModelStack

HOUSEHOLDS, PEOPLE, STRANGERS = 400, 4, 25
ENROLLED, VISIT, MOST = 5, 3, 16
EFFECTIVE, CLARITY = 2.5, 0.95
"""What three good faces some tenths of a second apart count for."""
_SAME = 0.7
"""Cosine of two people's mean faces from which they are taken for one."""

Vectors = NDArray[np.float32]


def embedded(folder: Path, models: ModelStack) -> Mapping[str, Vectors]:
    """Return the embeddings of each person with at least eight photos."""
    found = {}
    for person in sorted(one for one in folder.iterdir() if one.is_dir()):
        photos = sorted(person.glob("*.jpg"))[:MOST]
        if len(photos) >= ENROLLED + VISIT:
            images = [cv2.cvtColor(_read(photo), cv2.COLOR_BGR2RGB) for photo in photos]
            found[person.name] = np.stack([models.embedder.embed(image) for image in images])  # type: ignore[arg-type]
    return found


def _read(photo: Path) -> NDArray[np.uint8]:
    image = cv2.imread(str(photo))
    assert image is not None, photo
    return image.astype(np.uint8)


def distinct(people: Mapping[str, Vectors]) -> dict[str, Vectors]:
    """Return ``people`` without those who are like another one."""
    means = np.stack([_unit(faces.mean(0)) for faces in people.values()])
    alike = means @ means.T - 2 * np.eye(len(means))
    return {name: faces for (name, faces), near in zip(people.items(), alike.max(1), strict=True) if near < _SAME}


def evidence(people: Mapping[str, Vectors], scores: ScoreModel) -> tuple[list[float], list[float]]:
    """Return the evidence of the family's visits for themselves, and the strongest of each stranger's, in nats."""
    random, names = np.random.default_rng(1), sorted(people)
    family, strangers = list[float](), list[float]()
    for _ in range(HOUSEHOLDS):
        household = [str(name) for name in random.choice(names, PEOPLE, replace=False)]
        drawn = [random.permutation(people[name]) for name in household]
        templates = [_unit(faces[:ENROLLED].mean(0)) for faces in drawn]
        visits = [_unit(faces[ENROLLED : ENROLLED + VISIT].mean(0)) for faces in drawn]
        family += [_ratio(scores, visit, template) for visit, template in zip(visits, templates, strict=True)]
        others = [name for name in names if name not in household]
        for name in random.choice(others, STRANGERS, replace=False):
            visit = _unit(random.permutation(people[str(name)])[:VISIT].mean(0))
            strangers.append(max(_ratio(scores, visit, template) for template in templates))
    return family, strangers


def _ratio(scores: ScoreModel, visit: Vectors, template: Vectors) -> float:
    return scores.log_likelihood_ratio(float(visit @ template), EFFECTIVE, CLARITY)


def _unit(vector: Vectors) -> Vectors:
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def rows(family: list[float], strangers: list[float]) -> Iterator[str]:
    """Yield a line for the evidence 0, at which a name is likelier than none, and for what disarms."""
    for least in (0.0, SURE):
        named, let_in = sum(one >= least for one in family), sum(one >= least for one in strangers)
        yield (
            f"evidence >= {least:4.1f}: {named / len(family):.1%} of {len(family)} family visits, "
            f"{let_in} of {len(strangers)} strangers' visits"
        )


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", type=Path, help="aligned faces, a folder for each person")
    folder = parser.parse_args().folder
    with tempfile.TemporaryDirectory() as state:
        models = ModelStack.load(FacesecureConfig(), Path(state))
    people = distinct(embedded(folder, models))
    print(f"{len(people)} people", *rows(*evidence(people, models.scores)), sep="\n")


if __name__ == "__main__":
    main()
