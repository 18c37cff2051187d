"""Clips made of one photo each, to show what a split of neighbouring frames hides. LFW has photos only.

Four frames of each photo differ as those of one visit do: a step to the side, the light, some blur, noise. They are
kinder than a video: pose and expression never change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from benchmarks.classifiers.crops import located, read
from benchmarks.classifiers.manifest import Entry
from facesecure.domain import Image
from facesecure_training.common import corruptions
from facesecure_training.common.corruption_series import alignment

TRAINED, LAST = (0, 1, 2), 3
"""Numbers of the frames that are learnt, and of the one that validates or tests."""


def by_clip(entries: Sequence[Entry]) -> list[Entry]:
    """Return the manifest of clips that are whole in one part, as ``dataset extract`` and ``--split source`` do."""
    return [*_frames(entries, "train"), *_lasts(entries), *_untouched(entries)]


def by_frame(entries: Sequence[Entry]) -> list[Entry]:
    """Return the same test, with the other frames of its clips in training, and no more images than ``by_clip`` has."""
    trained = [entry for entry in entries if entry.part == "train"]
    tested = [entry for entry in entries if entry.part == "test"]
    room = {label: sum(entry.label == label for entry in trained) for label in {entry.label for entry in trained}}
    swapped = []
    for entry in (*tested, *trained):
        if room.get(entry.label, 0) > 0:
            room[entry.label] -= 1
            swapped.append(replace(entry, part="train"))
    return [*_frames(swapped, "train"), *_lasts(entries), *_untouched(entries)]


def write_frames(crops: Path, folder: Path, entries: Sequence[Entry]) -> None:
    """Write the frames named in ``entries`` into ``folder``; photos of other parts are linked there as they are."""
    for entry in entries:
        photo, number = _source(entry.photo)
        source = located(crops, photo)
        place = folder / entry.photo if number is not None else (folder / photo).with_suffix(source.suffix)
        if place.exists():
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        if number is None:
            place.symlink_to(source.resolve())
            continue
        beside = place.with_suffix(".writing.png")
        cv2.imwrite(str(beside), frame(read(source), number, photo)[:, :, ::-1])
        beside.replace(place)


def frame(image: Image, number: int, photo: str) -> Image:
    """Return frame ``number`` of the clip made of ``image``, uint8 RGB; drawn by ``photo`` and the number."""
    random = np.random.default_rng([number, *photo.encode()])
    moved = alignment(image, random.uniform(-0.04, 0.04))
    soft = corruptions.blur(moved, random.uniform(0.0, 1.0))
    noise = corruptions.sensor_noise(soft, random.uniform(0, 4), random)
    return corruptions.darken(soft, random.uniform(0.8, 1.2), noise)


def _frames(entries: Sequence[Entry], part: str) -> list[Entry]:
    some = [entry for entry in entries if entry.part == part]
    return [replace(entry, photo=_name(entry.photo, number)) for entry in some for number in TRAINED]


def _lasts(entries: Sequence[Entry]) -> list[Entry]:
    return [replace(entry, photo=_name(entry.photo, LAST)) for entry in entries if entry.part in ("validation", "test")]


def _untouched(entries: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in entries if entry.part not in ("train", "validation", "test")]


def _name(photo: str, number: int) -> str:
    return f"{photo.removesuffix('.png')}.frame{number}.png"


def _source(name: str) -> tuple[str, int | None]:
    stem, dot, rest = name.rpartition(".frame")
    return (f"{stem}.png", int(rest.removesuffix(".png"))) if dot else (name, None)
