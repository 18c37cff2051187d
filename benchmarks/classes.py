"""Measure the strangers that a classifier accepts, at the rates stated in its card and with fixed thresholds.

    python -m benchmarks.classes [--images ../shared/data/lfw-dev/images] [--cache FILE.npz] [--draws 15] [--seed 0]

A household of four is trained with ten photos each, with or without a class of 300 unknown people; six more photos
each, and 20, 100 or 500 strangers, are held out to measure the score distributions (``recognition.classifier_scores``).
All others, some 1,500 people, are tested one photo at a time. Good: a softmax layer on the bundled embedding. Bad: one
on 28x28 pixels. Prints one JSON object a row, shares in percent. ``--cache`` keeps the crops and embeddings.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from facesecure.recognition.classifier_scores import THRESHOLD, fit, scores_of
from facesecure.recognition.embedder import ModelEmbedder
from facesecure.recognition.score_model import ScoreDistribution
from facesecure.vision.inference.card_fields import ClassifierFacts, ScoreSpread
from facesecure.vision.inference.model_card import load_model
from facesecure_training.common.cropping import Cropper
from facesecure_training.common.embeddings import photos_by_person

RATES = (0.05, 0.01, 0.001)
Net = Callable[[Any], Any]


def people(images: Path, cache: Path | None) -> tuple[Any, Any, Any]:
    """Return embeddings (n, 192), crops (n, 112, 112, 3) and names (n,) of the photos in which a face is found."""
    if cache is not None and cache.exists():
        kept = np.load(cache)
        return kept["embeddings"], kept["crops"], kept["names"]
    cropper, embedder = Cropper(max_side=150), ModelEmbedder(load_model("mobilefacenet"))
    found = [(name, cropper.crop(photo)) for name, photos in photos_by_person(images).items() for photo in photos]
    faces = [(name, crop) for name, crop in found if crop is not None]
    crops, names = np.stack([crop for _, crop in faces]), np.array([name for name, _ in faces])
    embeddings = np.stack([embedder.embed(crop) for crop in crops])
    if cache is not None:
        np.savez(cache, embeddings=embeddings, crops=crops, names=names)
    return embeddings, crops, names


def learnt(points: Any, classes: Any, rate: float, ridge: float) -> Net:
    """Train a softmax layer with equal class weights, by 400 steps of Adam."""
    rows, truth = _with_bias(points), np.eye(classes.max() + 1)[classes]
    share = (1 / np.bincount(classes))[classes]
    share = (share / share.sum())[:, None]
    weights = np.zeros((rows.shape[1], truth.shape[1]))
    first, second = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, 401):
        slope = rows.T @ ((_softmax(rows @ weights) - truth) * share) + ridge * weights
        first, second = 0.9 * first + 0.1 * slope, 0.99 * second + 0.01 * slope**2
        weights -= rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.99**step)) + 1e-9)
    return lambda some: _softmax(_with_bias(some) @ weights).astype(np.float32)


def _with_bias(points: Any) -> Any:
    return np.hstack([points, np.ones((len(points), 1))])


def _softmax(logits: Any) -> Any:
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def household(
    points: Any, names: Any, unknown: bool, held_back: int, seed: Any, rate: float, ridge: float
) -> dict[str, float]:
    """Run one draw: shares of unseen strangers accepted, and of the household named."""
    random = np.random.default_rng(seed)
    of = {name: np.flatnonzero(names == name) for name in np.unique(names)}
    family = random.choice([name for name, some in of.items() if len(some) >= 20], 4, replace=False)
    others = random.permutation([name for name, some in of.items() if len(some) < 20])
    photos = {name: random.permutation(of[name]) for name in family}
    chosen = [photos[name][:10] for name in family] + [[of[name][0] for name in others[:300]]] * unknown
    classes = np.repeat(np.arange(len(chosen)), [len(some) for some in chosen])
    net = learnt(points[np.concatenate(chosen)], classes, rate, ridge)
    facts = ClassifierFacts(unknown=("unknown",) if unknown else ())
    own = {name: [net(points[[photo]]) for photo in photos[name][10:16]] for name in family}
    seen = [net(points[of[name]]) for name in others[300 : 300 + held_back]]
    measured = fit(facts, [*family, *facts.unknown], own, seen, dataset="bench")
    strangers = [net(points[of[name]]) for name in others[300 + held_back :]]
    return _shares(measured.facts.scores, measured.thresholds[THRESHOLD], strangers, [
        net(points[photos[name][16:40]]) for name in family
    ])  # fmt: skip


def _shares(scores: Any, threshold: float, strangers: list[Any], family: list[Any]) -> dict[str, float]:
    found = {
        "family right (largest output)": np.mean([(one.argmax(1) == i).mean() for i, one in enumerate(family)]),
        "strangers in (largest output)": np.mean([(one.argmax(1) < 4).mean() for one in strangers]),
        "strangers in (p > 0.5)": np.mean([(one[:, :4].max(1) > 0.5).mean() for one in strangers]),
        "strangers in (p > 0.9)": np.mean([(one[:, :4].max(1) > 0.9).mean() for one in strangers]),
    }
    limits = {"threshold at 0.01": np.full(4, threshold)}
    limits |= {
        f"asked {rate:g}": np.array([_limit(one.impostor, rate / 4) for one in scores.values()]) for rate in RATES
    }
    far, near = [scores_of(one)[:, :4] for one in strangers], [scores_of(one)[:, :4] for one in family]
    for name, limit in limits.items():
        found[f"strangers in ({name})"] = np.mean([(one >= limit).any(axis=1).mean() for one in far])
        found[f"family named ({name})"] = np.mean([(one[:, i] >= limit[i]).mean() for i, one in enumerate(near)])
    return {name: 100 * float(share) for name, share in found.items()}


def _limit(spread: ScoreSpread, rate: float) -> float:
    return ScoreDistribution(spread.mean, spread.sd_between, spread.sd_within).score_reached_with(rate, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, default=Path("../shared/data/lfw-dev/images"))
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--draws", type=int, default=15)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    embeddings, crops, names = people(given.images, given.cache)
    small = np.stack([cv2.resize(crop, (28, 28), interpolation=cv2.INTER_AREA) for crop in crops])
    pixels = (small.reshape(len(small), -1) / 127.5 - 1) * 8 / 28 / np.sqrt(3)
    for kind, points, rate, ridge in (("good", 8 * embeddings, 0.05, 1e-5), ("bad", pixels, 0.02, 1e-4)):
        for unknown in (True, False):
            for held_back in (20, 100, 500):
                seeds = [(given.seed, draw) for draw in range(given.draws)]
                rows = [household(points, names, unknown, held_back, seed, rate, ridge) for seed in seeds]
                means = {name: round(float(np.mean([row[name] for row in rows])), 2) for name in rows[0]}
                print(
                    json.dumps({"classifier": kind, "unknown class": unknown, "held back": held_back, **means}),
                    flush=True,
                )


if __name__ == "__main__":
    main()
