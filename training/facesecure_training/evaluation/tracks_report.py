"""``facesecure-train evaluate tracks``: rules for whole visits, on the same simulated walk-ins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facesecure.config import VerdictConfig
from facesecure.domain.errors import UsageError
from facesecure_training.common.corruptions import walk_in
from facesecure_training.common.embeddings import photos_by_person
from facesecure_training.common.progress import with_progress
from facesecure_training.evaluation.household_judge import HouseholdJudgeFactory
from facesecure_training.evaluation.households import (
    DrawSettings,
    Household,
    People,
    draw_households,
    observations_by_person,
)
from facesecure_training.evaluation.observations import FaceObservation, observe
from facesecure_training.evaluation.setting import Setting
from facesecure_training.evaluation.tracks import LEAST_USABLE, RULES, STRANGER, Track, TrackOutcome, make_track

RATES = (1e-3, 1e-4, VerdictConfig().false_accept)
_VARIANTS = ("walk-in 1", "walk-in 2")
"""Each photo becomes this many frames, each corrupted differently."""
_LEAST_PHOTOS = 4
_FAMILY_TRACKS = 3
"""Visits of each person of the family."""


@dataclass(frozen=True, slots=True)
class TrackFigures:
    """What one rule reaches at one rate.

    Of the family's tracks, in percent: ``named`` correctly, ``misnamed`` at any time, ``called_strangers`` at the end.
    Of 10,000 strangers' tracks: ``let_in`` under a name at the end, ``named_ever`` at any time. ``faces``: mean number
    of usable faces before the right name. ``strangers_told``: share of strangers' tracks called that, in percent.
    """

    rule: str
    asked: float
    named: float
    misnamed: float
    called_strangers: float
    let_in: float
    named_ever: float
    strangers_told: float
    faces: float


@dataclass(frozen=True, slots=True)
class TracksReport:
    """Number of tracks, mean number of usable faces and mean clarity of the family's, and each rule's figures."""

    family_tracks: int
    stranger_tracks: int
    mean_faces: float
    mean_clarity: float
    rules: Sequence[TrackFigures]

    def as_json(self) -> dict[str, Any]:
        """Return the report for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True, eq=False)
class HouseholdVisits:
    """One household and its visitors: (name, track) of the family, and the strangers' tracks."""

    household: Household
    family: Sequence[tuple[str, Track]]
    strangers: Sequence[Track]


def measure(setting: Setting, images: Path, how: DrawSettings, stranger_tracks: int) -> TracksReport:
    """Measure every rule; there are ``stranger_tracks`` in all. Raises UsageError, ImageError.

    ``how.strangers`` is not used.
    """
    photos = {name: some for name, some in photos_by_person(images).items() if len(some) >= _LEAST_PHOTOS}
    every = [photo for some in photos.values() for photo in some]
    plain = observe(every, setting)
    corrupted = [observe(every, setting, name, walk_in) for name in _VARIANTS]
    frames = {
        observation: [frame for variant in corrupted if (frame := variant[photo]) is not None]
        for photo, observation in plain.items()
        if observation is not None
    }
    people = observations_by_person(photos, plain)
    visits = list(_visits(people, frames, how, stranger_tracks))
    if not sum(len(one.family) for one in visits) or not sum(len(one.strangers) for one in visits):
        raise UsageError("no person has enough usable photos for a track", f"a track has {LEAST_USABLE} usable faces")
    return _report(HouseholdJudgeFactory(setting.load()), visits)


def _visits(
    people: People, frames: Mapping[FaceObservation, Sequence[FaceObservation]], how: DrawSettings, tracks: int
) -> Iterator[HouseholdVisits]:
    """Yield each household with tracks of its people, from photos not enrolled, and its share of strangers."""
    random = np.random.default_rng(how.seed + 1)
    pools = {
        name: [frame for observation in observations for frame in frames[observation]]
        for name, observations in people.items()
    }
    able = [name for name, pool in pools.items() if sum(frame.quality.usable for frame in pool) >= LEAST_USABLE]
    for number, household in enumerate(draw_households(people, how)):
        family = [
            (name, track)
            for name, observations in household.probes.items()
            for _ in range(_FAMILY_TRACKS)
            if (track := make_track([frame for observation in observations for frame in frames[observation]], random))
            is not None
        ]
        strangers = [name for name in able if name not in household.enrolled]
        share = (number + 1) * tracks // how.households - number * tracks // how.households
        came = [strangers[int(i)] for i in random.integers(len(strangers), size=share)]
        found = [track for name in came if (track := make_track(pools[name], random)) is not None]
        yield HouseholdVisits(household, family, found)


def _report(judges: HouseholdJudgeFactory, visits: Sequence[HouseholdVisits]) -> TracksReport:
    family = [track for one in visits for _, track in one.family]
    observations = [observation for track in family for _, observation in track if observation.quality.usable]
    return TracksReport(
        family_tracks=len(family),
        stranger_tracks=sum(len(one.strangers) for one in visits),
        mean_faces=len(observations) / len(family),
        mean_clarity=float(np.mean([observation.quality.clarity for observation in observations])),
        rules=[found for asked in RATES for found in _at(judges, visits, asked)],
    )


def _at(judges: HouseholdJudgeFactory, visits: Sequence[HouseholdVisits], asked: float) -> list[TrackFigures]:
    """Return every rule's figures at the rate ``asked``."""
    family: dict[str, list[tuple[str, TrackOutcome]]] = {rule: [] for rule in RULES}
    strangers: dict[str, list[TrackOutcome]] = {rule: [] for rule in RULES}
    for one in with_progress(visits, f"walk-ins, {asked:g}"):
        judge = judges.open(one.household, asked)
        for rule, decide in RULES.items():
            family[rule] += [(name, decide(judge, track)) for name, track in one.family]
            strangers[rule] += [decide(judge, track) for track in one.strangers]
    return [_figures(rule, asked, family[rule], strangers[rule]) for rule in RULES]


def _figures(
    rule: str, asked: float, family: Sequence[tuple[str, TrackOutcome]], strangers: Sequence[TrackOutcome]
) -> TrackFigures:
    right = [outcome.faces for name, outcome in family if outcome.final == name]
    return TrackFigures(
        rule=rule,
        asked=asked,
        named=100 * len(right) / len(family),
        misnamed=100 * _share(bool(outcome.names - {name}) for name, outcome in family),
        called_strangers=100 * _share(outcome.final == STRANGER for _, outcome in family),
        let_in=10_000 * _share(bool(outcome.final) for outcome in strangers),
        named_ever=10_000 * _share(bool(outcome.names) for outcome in strangers),
        strangers_told=100 * _share(outcome.final == STRANGER for outcome in strangers),
        faces=float(np.mean(right)) if right else float("nan"),
    )


def _share(truths: Iterable[bool]) -> float:
    return float(np.mean(list(truths)))
