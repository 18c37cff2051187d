"""The figures of a household's network, as counts for each person, so that intervals can be drawn over people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.classifiers.manifest import UNKNOWN, Entry
from benchmarks.classifiers.outputs import Measured
from facesecure.recognition.classifier_scores import scores_of
from facesecure_training.evaluation.bootstrap import Tally
from facesecure_training.evaluation.rates import threshold_at

RATES = (0.01, 0.001)
AS_TAKEN = "as taken"
Chosen = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """What one network gets right, in one light; of strangers, "right" counts those who are given a name.

    ``accuracy`` is as the report counts it: the likeliest class, "unknown" included, for people of the training.
    ``likeliest`` and ``strangers_likeliest`` are the members named rightly and the strangers named, by that rule;
    ``named`` and ``strangers`` the same with the threshold of each of RATES.
    """

    accuracy: Tally
    likeliest: Tally
    strangers_likeliest: Tally
    named: Mapping[float, Tally]
    misnamed: Mapping[float, Tally]
    strangers: Mapping[float, Tally]
    stranger_names: tuple[str, ...]


class Judged:
    """Scores of one network, and the thresholds that its validation strangers chose."""

    def __init__(self, measured: Measured) -> None:
        self._all, self._labels = measured, measured.labels
        self._names = np.array([label != UNKNOWN for label in self._labels])
        self.thresholds = {rate: self._threshold(rate) for rate in RATES}

    def figures(self, light: str = AS_TAKEN) -> Figures:
        """Return the figures in ``light``; the thresholds are those chosen on photos as taken."""
        entries, outputs = self._in(light)
        likeliest = self._likeliest(outputs)
        test = np.array([entry.part == "test" for entry in entries])
        own = test & np.array([entry.label != UNKNOWN for entry in entries])
        outside = np.array([entry.part == "strangers" for entry in entries])
        right = likeliest == self._wanted(entries)
        at = {rate: self._named(outputs, limit) for rate, limit in self.thresholds.items()}
        wanted = self._wanted(entries)
        return Figures(
            accuracy=_tally(entries, test, right),
            likeliest=_tally(entries, own, right),
            strangers_likeliest=_tally(entries, outside, likeliest >= 0),
            named={rate: _tally(entries, own, named == wanted) for rate, named in at.items()},
            misnamed={rate: _tally(entries, own, (named >= 0) & (named != wanted)) for rate, named in at.items()},
            strangers={rate: _tally(entries, outside, named >= 0) for rate, named in at.items()},
            stranger_names=_people(entries, outside),
        )

    def _in(self, light: str) -> tuple[Sequence[Entry], NDArray[np.float32]]:
        index, outputs = self._all.outputs[light]
        return [self._all.entries[number] for number in index], outputs

    def _wanted(self, entries: Sequence[Entry]) -> NDArray[np.int_]:
        """Return each photo's label, -1 for people who have no name."""
        place = {label: number for number, label in enumerate(self._labels) if label != UNKNOWN}
        return np.array([place.get(entry.label, -1) for entry in entries])

    def _likeliest(self, outputs: NDArray[np.float32]) -> NDArray[np.int_]:
        found = outputs.argmax(1)
        return np.where(self._names[found], found, -1)

    def _named(self, outputs: NDArray[np.float32], threshold: float) -> NDArray[np.int_]:
        scores = self._scores(outputs)
        return np.where(scores.max(1) >= threshold, scores.argmax(1), -1)

    def _scores(self, outputs: NDArray[np.float32]) -> NDArray[np.float64]:
        return np.where(self._names[None], scores_of(outputs), -np.inf)

    def _threshold(self, rate: float) -> float:
        entries, outputs = self._in(AS_TAKEN)
        choosing = np.array([entry.part == "validation-strangers" for entry in entries])
        return threshold_at(self._scores(outputs[choosing]).max(1), rate)


def _people(entries: Sequence[Entry], chosen: Chosen) -> tuple[str, ...]:
    return tuple(sorted({entry.person for entry, wanted in zip(entries, chosen, strict=True) if wanted}))


def _tally(entries: Sequence[Entry], chosen: Chosen, right: Chosen) -> Tally:
    """Count photos and right ones of each person among the ``chosen``, people in alphabetical order."""
    place = {name: number for number, name in enumerate(_people(entries, chosen))}
    counts = np.zeros((2, len(place)), np.int64)
    for number in map(int, np.flatnonzero(chosen)):
        person = place[entries[number].person]
        counts[:, person] += (1, int(right[number]))
    return Tally(counts[1], counts[0])
