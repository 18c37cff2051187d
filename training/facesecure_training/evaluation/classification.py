"""Measures a classifier: the people it names correctly, and the strangers it names.

Two rules are compared. ``plain`` takes the likeliest class, as the report this project grew out of did.
``with_threshold`` names a person only if the score (``recognition.classifier_scores``) reaches a threshold that was
chosen on other images, of other strangers, than those measured here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Image
from facesecure.domain.errors import UsageError
from facesecure.recognition import classifier_scores
from facesecure.recognition.classifier_scores import Fitted
from facesecure.vision.inference.card_fields import ClassifierFacts
from facesecure.vision.inference.model_card import Model, ModelCard
from facesecure_training.common import model_bundle
from facesecure_training.common.corruption_series import CORRUPTION_SERIES
from facesecure_training.common.progress import with_progress
from facesecure_training.evaluation.predictors import Network
from facesecure_training.evaluation.rates import Rates, Share, rates, share
from facesecure_training.evaluation.test_split import EvaluationSets, LabelledFaces


@dataclass(frozen=True, slots=True)
class ClassifierFigures:
    """What one rule reaches.

    ``accuracy`` counts all faces in a class, unknown ones included, for which "unknown" is correct; ``named`` those of
    people with a name, correctly named; ``misnamed`` those named as another; ``false_accepts`` the faces of people not
    seen in training that are named.
    """

    accuracy: Share
    named: Share
    misnamed: Share
    false_accepts: Share


@dataclass(frozen=True, slots=True)
class ClassifierStep:
    """One strength of one corruption: ``named`` and ``false_accepts`` of the rule with the threshold, as shares."""

    strength: float
    named: float
    false_accepts: float


@dataclass(frozen=True, slots=True, eq=False)
class ClassifierReport:
    """Everything measured. ``confusion``: true classes (``rows``) against the likeliest class (``columns``)."""

    network: str
    labels: tuple[str, ...]
    unknown: tuple[str, ...]
    pictures: int
    strangers: int
    stranger_faces: int
    threshold: float
    asked: float
    chosen_on: str
    plain: ClassifierFigures
    with_threshold: ClassifierFigures
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]
    rates: Rates
    robustness: Mapping[str, Sequence[ClassifierStep]]
    genuine: Sequence[float]
    impostor: Sequence[float]
    wrongly_named: Sequence[tuple[str, float, Image]]

    def as_json(self) -> dict[str, Any]:
        """Return the report for JSON, without images and raw scores."""
        pictured = ("genuine", "impostor", "wrongly_named")
        plain = {key: getattr(self, key) for key in self.__slots__ if key not in pictured}
        return plain | {
            "plain": asdict(self.plain),
            "with_threshold": asdict(self.with_threshold),
            "rates": asdict(self.rates),
            "robustness": {kind: [asdict(one) for one in some] for kind, some in self.robustness.items()},
        }


def measure(
    network: Network, sets: EvaluationSets, asked: float, robustness: int, given: float | None
) -> tuple[ClassifierReport, Fitted]:
    """Measure ``network``; the threshold is chosen so that ``asked`` of strangers' faces are named, or is ``given``.

    Robustness is measured on ``robustness`` faces of either kind, 0 for none. Also returns what the card can state of
    scores, from the validation images. Raises UsageError for folders that do not fit.
    """
    facts = network.facts
    if facts is None:
        raise UsageError(f"{network.name} is not a classifier", "for embedders use evaluate verification or openset")
    chooses, tests = sets.known(network)
    choosing_strangers, strangers = sets.unknown(network)
    fitted = _fitted(network, facts, chooses, choosing_strangers, sets, asked)
    threshold = fitted.thresholds[classifier_scores.THRESHOLD] if given is None else given
    scene = _Scene(network, facts, tests, strangers)
    own, others = scene.best(tests)[0], scene.best(strangers)[0]
    genuine = np.where(scene.right(tests), own, -np.inf)[scene.has_name(tests)]
    chosen_on = (
        "given" if given is not None else f"{len(chooses.labels)} faces and {fitted.facts.strangers} other strangers"
    )
    report = ClassifierReport(
        network=network.name,
        labels=network.labels,
        unknown=facts.unknown,
        pictures=len(tests.labels),
        strangers=len(set(strangers.groups)),
        stranger_faces=len(strangers.labels),
        threshold=threshold,
        asked=asked,
        chosen_on=chosen_on,
        plain=scene.figures(tests, strangers, None),
        with_threshold=scene.figures(tests, strangers, threshold),
        rows=(*network.labels, "never seen"),
        columns=network.labels,
        confusion=scene.confusion(),
        rates=rates(genuine, others),
        robustness=scene.robustness(threshold, robustness, sets.seed),
        genuine=[float(score) for score in genuine],
        impostor=[float(score) for score in others],
        wrongly_named=scene.wrongly_named(),
    )
    return report, fitted


class _Scene:
    """The faces measured, and the network's outputs on them."""

    def __init__(
        self, network: Network, facts: ClassifierFacts, known: LabelledFaces, strangers: LabelledFaces
    ) -> None:
        self._network, self._facts, self._known, self._strangers = network, facts, known, strangers
        self._names = np.array([label not in facts.unknown for label in network.labels])

    def best(self, faces: LabelledFaces) -> tuple[NDArray[np.float64], NDArray[np.int_]]:
        """Return (the best score of a person with a name, that person's label)."""
        scores = classifier_scores.scores_of(faces.outputs, self._facts.output)
        named = np.where(self._names[None], scores, -np.inf)
        return named.max(1), named.argmax(1)

    def right(self, faces: LabelledFaces) -> NDArray[np.bool_]:
        """Return where the best name is correct."""
        return np.asarray(self.best(faces)[1] == faces.labels, np.bool_)

    def has_name(self, faces: LabelledFaces) -> NDArray[np.bool_]:
        """Return where the face is of a person with a name."""
        return np.asarray((faces.labels >= 0) & self._names[np.maximum(faces.labels, 0)], np.bool_)

    def named_labels(self, faces: LabelledFaces, threshold: float | None) -> NDArray[np.int_]:
        """Return the label named for each face, -1 for none; without a threshold, the likeliest class."""
        score, whose = self.best(faces)
        if threshold is not None:
            return np.where(score >= threshold, whose, -1)
        likeliest = faces.outputs.argmax(1)
        return np.where(self._names[likeliest], likeliest, -1)

    def figures(self, known: LabelledFaces, strangers: LabelledFaces, threshold: float | None) -> ClassifierFigures:
        """Return what the rule with ``threshold`` (None: the likeliest class) reaches."""
        given_names, named = self.named_labels(known, threshold), self.has_name(known)
        should = np.where(named, known.labels, -1)
        right, wrong = (given_names == should)[named], ((given_names >= 0) & (given_names != should))[named]
        let_in = int((self.named_labels(strangers, threshold) >= 0).sum())
        return ClassifierFigures(
            accuracy=share(int((given_names == should).sum()), len(given_names)),
            named=share(int(right.sum()), len(right)),
            misnamed=share(int(wrong.sum()), len(wrong)),
            false_accepts=share(let_in, len(strangers.labels)),
        )

    def confusion(self) -> tuple[tuple[int, ...], ...]:
        """Return the counts of true and likeliest classes, strangers in the last row."""
        classes = len(self._network.labels)
        counts = np.zeros((classes + 1, classes), int)
        for faces in (self._known, self._strangers):
            np.add.at(counts, (np.where(faces.labels < 0, classes, faces.labels), faces.outputs.argmax(1)), 1)
        return tuple(tuple(int(count) for count in row) for row in counts)

    def robustness(self, threshold: float, most: int, seed: int) -> dict[str, list[ClassifierStep]]:
        """Return the figures under each strength of each corruption."""
        if most == 0:
            return {}
        named = self._known.only(self.has_name(self._known))
        own, others = named.some(most, seed), self._strangers.some(most, seed)
        grid = [(kind, strength) for kind, series in CORRUPTION_SERIES.items() for strength in series.strengths]
        found: dict[str, list[ClassifierStep]] = {kind: [] for kind in CORRUPTION_SERIES}
        for kind, strength in with_progress(grid, "corrupting"):
            changed = [self._corrupted(faces, kind, strength) for faces in (own, others)]
            rule = self.figures(changed[0], changed[1], threshold)
            found[kind].append(ClassifierStep(strength, rule.named.value, rule.false_accepts.value))
        return found

    def _corrupted(self, faces: LabelledFaces, kind: str, strength: float) -> LabelledFaces:
        change, read = CORRUPTION_SERIES[kind].corruption, self._network.read
        outputs = np.stack([self._network.predict(change(read(file), strength)) for file in faces.files])
        return replace(faces, outputs=outputs)

    def wrongly_named(self, most: int = 12) -> list[tuple[str, float, Image]]:
        """Return the strangers nearest to a name: (name, score, crop)."""
        score, whose = self.best(self._strangers)
        nearest = np.argsort(-score)[:most]
        read, files, labels = self._network.read, self._strangers.files, self._network.labels
        return [(labels[whose[i]], float(score[i]), read(files[i])) for i in nearest]


def _fitted(
    network: Network,
    facts: ClassifierFacts,
    known: LabelledFaces,
    strangers: LabelledFaces,
    sets: EvaluationSets,
    asked: float,
) -> Fitted:
    """Return what the card states of scores, from the validation images."""
    genuine = {
        name: known.only(known.labels == label).grouped() for label, name in enumerate(network.labels)
        if name not in facts.unknown
    }  # fmt: skip
    seen, dataset = strangers.grouped(), sets.chosen_on
    return classifier_scores.fit(facts, network.labels, genuine, seen, dataset=dataset, rate=asked)


def write(model: Model, report: ClassifierReport, fitted: Fitted) -> None:
    """Write the threshold, the score distribution and the figures to the model's card."""
    strict, plain = report.with_threshold, report.plain
    figures = {
        "accuracy by the likeliest class, %": plain.accuracy.value,
        "strangers named by the likeliest class, %": plain.false_accepts.value,
        "rightly named with the threshold, %": strict.named.value,
        "strangers named with the threshold, %": strict.false_accepts.value,
    }
    fields = {
        "classifier": fitted.facts.model_dump(),
        "thresholds": {**model.card.thresholds, classifier_scores.THRESHOLD: report.threshold},
        "accuracy": {**model.card.accuracy, **{what: round(100 * value, 3) for what, value in figures.items()}},
    }
    model_bundle.save(model.path.parent, ModelCard.model_validate({**model.card.model_dump(), **fields}))
