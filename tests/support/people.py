"""Enrolled faces and sightings to fill a store with."""

from datetime import UTC, datetime, timedelta

import numpy as np

from facesecure.domain import Box, Quality, Sighting, Verdict, VerdictKind
from facesecure.domain.records import EnrolledFace

MODEL = "ab" * 32
BEGINNING = datetime(2031, 5, 30, 12, 0, tzinfo=UTC)
GOOD = Quality(40.0, 0.9, 120.0, 40.0, 0.05, 0.0, 1.0, 0.99, 0.9)


def enrolled_face(seed, source="a.jpg"):
    """A face that is like no other seed's."""
    noise = np.random.default_rng(seed)
    embedding = noise.normal(size=8).astype(np.float32)
    image = noise.integers(0, 256, (112, 112, 3), np.uint8)
    return EnrolledFace(image, embedding / np.linalg.norm(embedding), MODEL, GOOD, source)


def sighting(number, kind=VerdictKind.STRANGER, name=None, supersedes=None, snapshot=True):
    """The ``number``-th sighting, a minute after the one before."""
    at = BEGINNING + timedelta(minutes=number)
    picture = np.full((60, 80, 3), number % 256, np.uint8) if snapshot else None
    verdict = Verdict(kind, f"why {number}", name=name, score=0.5, faces_used=3)
    return Sighting(
        f"{number:08x}feed", verdict, "front door", at, at + timedelta(seconds=4), number, supersedes, picture,
        Box(1, 2, 3, 4) if snapshot else None,
    )  # fmt: skip
