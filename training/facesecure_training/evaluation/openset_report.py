"""``facesecure-train evaluate openset``: measures everything for one report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facesecure_training.common.embeddings import photos_by_person
from facesecure_training.common.progress import with_progress
from facesecure_training.evaluation import baselines, openset
from facesecure_training.evaluation.household_judge import HouseholdJudgeFactory, single_face_figures
from facesecure_training.evaluation.households import (
    DrawSettings,
    Household,
    People,
    draw_households,
    observations_by_person,
)
from facesecure_training.evaluation.observations import FaceObservation, observe
from facesecure_training.evaluation.openset import (
    Compare,
    DecisionFigures,
    HouseholdScores,
    OperatingPoint,
    Scores,
    decision_figures,
)
from facesecure_training.evaluation.robustness import Measure, measure_of
from facesecure_training.evaluation.setting import Setting

OURS, NEAREST, THEIRS = "ours", "nearest picture", "face_recognition"
THEIR_RULE = f"face_recognition at {baselines.TOLERANCE}"
_PEER_FAMILY = 0.35
_PEER_PROBES = 7
"""face_recognition takes a third of a second per photo, so it is measured on fewer photos of fewer people."""


@dataclass(frozen=True, slots=True)
class BaselineComparison:
    """All ways on the faces that face_recognition found as well; ``lacking`` says why it is missing."""

    photos: int
    faceless: int
    ways: Mapping[str, Sequence[OperatingPoint]]
    rule: DecisionFigures | None
    lacking: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class OpensetReport:
    """``faces`` of the family and ``strangers`` that were tried; ``unusable``: share of the faces, in percent."""

    measure: Measure
    people: int
    photos: int
    faceless: int
    unusable: float
    faces: int
    strangers: int
    ways: Mapping[str, Sequence[OperatingPoint]]
    thresholds: Sequence[DecisionFigures]
    judged: Sequence[DecisionFigures]
    same_faces: BaselineComparison
    curves: Mapping[str, Sequence[HouseholdScores]]

    def as_json(self) -> dict[str, Any]:
        """Return the report for JSON, without the scores."""
        plain = {key: getattr(self, key) for key in self.__slots__ if key != "curves"}
        plain["ways"] = {way: [asdict(rate) for rate in rates] for way, rates in self.ways.items()}
        plain |= {key: [asdict(one) for one in plain[key]] for key in ("thresholds", "judged")}
        rates = {way: asdict(openset.rates_of(some)) for way, some in self.curves.items()}
        return {**plain, "same_faces": asdict(self.same_faces), "rates": rates}


def measure(setting: Setting, images: Path, how: DrawSettings, peer: Path | None, peer_photos: int) -> OpensetReport:
    """Measure the setting; ``peer`` is the Python with face_recognition, None to leave it out.

    Raises UsageError, ImageError.
    """
    photos = photos_by_person(images)
    observations = observe((photo for some in photos.values() for photo in some), setting)
    people = observations_by_person(photos, observations)
    found = [observation for observation in observations.values() if observation is not None]
    households = list(draw_households(people, how))
    compared_by = measure_of([observation.embedding for observation in found])
    ways = _ways(compared_by)
    outcomes = {way: openset.compare(households, rule) for way, rule in ways.items()}
    calibrated = _calibrated(setting, compared_by, households)
    return OpensetReport(
        measure=compared_by,
        people=len(people),
        photos=len(observations),
        faceless=len(observations) - len(found),
        unusable=100 * float(np.mean([not observation.quality.usable for observation in found])),
        faces=sum(len(one.family) for one in outcomes[OURS]),
        strangers=sum(len(one.strangers) for one in outcomes[OURS]),
        ways={way: openset.operating_points(some) for way, some in outcomes.items()},
        thresholds=[by_threshold for by_threshold, _ in calibrated],
        judged=[by_judge for _, by_judge in calibrated],
        same_faces=_same_faces(
            setting,
            {observation: photo for photo, observation in observations.items() if observation},
            people,
            how,
            peer,
            peer_photos,
            ways,
        ),
        curves=outcomes,
    )


def _ways(measure: Measure) -> dict[str, Compare]:
    if measure == "cosine":
        return {OURS: openset.nearest_template, NEAREST: openset.nearest_photo}
    return {OURS: openset.mean_by_distance, NEAREST: openset.nearest_by_distance}


def _calibrated(
    setting: Setting, measure: Measure, households: Sequence[Household]
) -> list[tuple[DecisionFigures, DecisionFigures]]:
    """Return the figures of the daemon's rules at each rate; nothing for a model that cannot be calibrated."""
    model = setting.network().model
    if model is None or model.card.score_model is None or measure == "distance":
        return []
    judges = HouseholdJudgeFactory(model)
    return [single_face_figures(judges, households, asked) for asked in with_progress(openset.RATES, "judging")]


def _same_faces(
    setting: Setting,
    photos: Mapping[FaceObservation, Path],
    people: People,
    how: DrawSettings,
    peer: Path | None,
    most: int,
    ours: Mapping[str, Compare],
) -> BaselineComparison:
    if peer is None or not peer.exists():
        lacking = "left out, as asked" if peer is None else f"left out: there is no {peer} (make bench builds it)"
        return BaselineComparison(0, 0, {}, None, lacking)
    fewer = _fewer(people, how, most)
    wanted = {observation: photos[observation] for observations in fewer.values() for observation in observations}
    found = baselines.embed_by_dlib(wanted.values(), setting.max_side, setting.cache, peer)
    vectors = {observation: vector for observation, photo in wanted.items() if (vector := found[photo]) is not None}
    both = {
        name: [observation for observation in observations if observation in vectors]
        for name, observations in fewer.items()
    }
    households = list(draw_households({name: observations for name, observations in both.items() if observations}, how))
    theirs = _their_way(vectors)
    ways: dict[str, Compare] = {**ours, THEIRS: theirs}
    outcomes = {way: openset.compare(households, rule) for way, rule in ways.items()}
    rates = {way: openset.operating_points(some) for way, some in outcomes.items()}
    return BaselineComparison(len(wanted), len(wanted) - len(vectors), rates, _their_rule(outcomes[THEIRS]))


def _fewer(people: People, how: DrawSettings, most: int) -> People:
    """Return about ``most`` photos: some families with a few photos each, and one photo each of the others."""
    random = np.random.default_rng(how.seed)
    each = how.pictures + _PEER_PROBES
    names = [str(name) for name in random.permutation(sorted(people))]
    families = [name for name in names if len(people[name]) >= each][
        : max(2 * how.people, int(most * _PEER_FAMILY / each))
    ]
    others = [name for name in names if name not in families][: max(10, most - each * len(families))]
    return {name: people[name][:each] for name in families} | {name: people[name][:1] for name in others}


def _their_way(vectors: Mapping[FaceObservation, Scores]) -> Compare:
    """Return a comparison by minus the distance to the nearest photo: higher is nearer, as with the others."""

    def compare(household: Household, observations: Sequence[FaceObservation]) -> Scores:
        seen = np.stack([vectors[observation] for observation in observations])
        known = [np.stack([vectors[observation] for observation in some]) for some in household.enrolled.values()]
        columns = [-np.linalg.norm(seen[:, None] - some[None], axis=2).min(1) for some in known]
        return np.asarray(np.stack(columns, 1), np.float32)

    return compare


def _their_rule(outcomes: Sequence[HouseholdScores]) -> DecisionFigures:
    limit = -baselines.TOLERANCE
    family = [np.where(one.family >= limit, np.where(one.right, 1, -1), 0) for one in outcomes]
    return decision_figures(None, family, [one.strangers >= limit for one in outcomes])
