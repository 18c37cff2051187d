"""State what each name needs to be accepted: as calibrated for this household, or else by a safe default.

The default for a person is the stricter of two distributions: the one in the model's card, which holds for all people,
and the one that the impostor model gives for that person's templates. Not calibrating therefore never accepts more
strangers.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from facesecure.domain.errors import StoreError
from facesecure.domain.records import Template
from facesecure.recognition.calibration import COMMAND, FILE_NAME, Calibration, Documents, Rival, fingerprint
from facesecure.recognition.impostor_model import ImpostorModel, Vectors, stricter
from facesecure.recognition.score_model import ScoreModel
from facesecure.recognition.templates import MIN_FACES

_FEW_STRICTER = 10.0
"""Factor by which strangers must be rarer for a person with fewer than MIN_FACES faces."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AcceptanceRule:
    """What one name needs to be accepted.

    ``false_accept`` is the rate of strangers accepted that was calibrated for, None for the configured one.
    ``closeness`` is the cosine between this person's templates and those of each other person, by name; None where
    scores are no cosines. Below the score ``least`` the name is never given.
    """

    scores: ScoreModel
    false_accept: float | None = None
    rivals: tuple[Rival, ...] = ()
    closeness: Mapping[str, float] | None = field(default_factory=dict)
    least: float = -1.0

    def rival_near(self, score: float, faces: float) -> Rival | None:
        """Return a rival who reaches ``score`` (a mean over ``faces``) more often than allowed, if there is one."""
        return next((rival for rival in self.rivals if rival.comes_near(score, faces)), None)


class AcceptanceRules(Protocol):
    """Provides the rule for each name."""

    def of(self, name: str) -> AcceptanceRule:
        """Return the current rule for ``name``."""


@dataclass(frozen=True, slots=True)
class FixedThresholds:
    """Uses one score model for all names."""

    scores: ScoreModel

    def of(self, name: str) -> AcceptanceRule:  # noqa: ARG002 - the same for all
        """Return the rule, which is the same for all names."""
        return AcceptanceRule(self.scores)


def by_name(templates: Iterable[Template], model_sha256: str) -> dict[str, Vectors]:
    """Return the templates of each person that the model ``model_sha256`` made, float32 (k, size)."""
    found: dict[str, list[Vectors]] = {}
    for template in templates:
        if template.model_sha256 == model_sha256:
            found.setdefault(template.name, []).append(template.embedding)
    return {name: np.stack(some) for name, some in found.items()}


@dataclass(frozen=True, slots=True)
class Fit:
    """Which of the people enrolled a calibration covers, and which have ``changed`` since or are new.

    ``complaint`` says why it covers no one, empty if it is usable.
    """

    calibrated: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    complaint: str = ""

    @classmethod
    def of(cls, calibration: Calibration | None, templates: Mapping[str, Vectors], model_sha256: str) -> Fit:
        """Compare ``calibration`` with ``templates`` by name, those of the model in use."""
        names = tuple(sorted(templates))
        if calibration is None:
            return cls(changed=names, complaint="not calibrated for this household")
        if calibration.model_sha256 != model_sha256:
            return cls(changed=names, complaint="calibrated for another model")
        known = {name for name in names if calibration.of(name, fingerprint(templates[name]))}
        return cls(tuple(sorted(known)), tuple(name for name in names if name not in known))


class LiveThresholds:
    """Rules that follow the store and STATE_DIR/calibration.json, checking at most once a second.

    Example::

        rules = LiveThresholds(
            store.templates, store.people_revision, embedder.sha256, impostors, scores, documents, false_accept=1e-4
        )
        rules.of("Anna").scores
    """

    def __init__(
        self,
        load: Callable[[], Iterable[Template]],
        revision: Callable[[], int],
        model_sha256: str,
        strangers: ImpostorModel,
        scores: ScoreModel,
        documents: Documents,
        false_accept: float,
        *,
        interval: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Follow the templates of ``load``; ``revision`` returns a number that changes with them.

        ``strangers`` and ``scores`` belong to the model in use, ``false_accept`` is the configured rate.
        """
        self._load, self._revision, self._model = load, revision, model_sha256
        self._strangers, self._scores, self._documents = strangers, scores, documents
        self._false_accept, self._interval, self._clock = false_accept, interval, clock
        self._checked_at = clock()
        self._seen: tuple[int, int] | None = None
        with suppress(StoreError):  # if it is busy just now, the next look finds out
            self._seen = self._stamp()
        self._rules = self._read()

    def of(self, name: str) -> AcceptanceRule:
        """Return the rule for ``name``; for a person who is not (or no longer) enrolled, the card's."""
        now = self._clock()
        if now - self._checked_at >= self._interval:
            self._checked_at = now
            try:
                self._follow(self._stamp())
            except StoreError as error:  # the gallery, which reads the same store, says so
                _log.debug("the thresholds stay as they were: %s", error.message)
        return self._rules.get(name) or AcceptanceRule(self._scores)

    def _follow(self, stamp: tuple[int, int]) -> None:
        if stamp != self._seen:
            self._rules = self._read()
            self._seen = stamp

    def _stamp(self) -> tuple[int, int]:
        """Return values that change with the people and with the calibration."""
        try:
            written = (self._documents.folder / FILE_NAME).stat().st_mtime_ns
        except OSError:
            written = 0
        return self._revision(), written

    def _read(self) -> dict[str, AcceptanceRule]:
        loaded = list(self._load())
        templates = by_name(loaded, self._model)
        enough = {one.name for one in loaded if one.model_sha256 == self._model and one.faces >= MIN_FACES}
        calibration = self._calibration()
        fit = Fit.of(calibration, templates, self._model)
        if templates:
            _log_fit(calibration, fit)
        rules = {name: self._default(templates[name], calibration) for name in fit.changed}
        if calibration is not None:
            rules |= {name: _calibrated(calibration, name) for name in fit.calibrated}
        rules |= {name: self._stricter(rule) for name, rule in rules.items() if name not in enough}
        return {name: replace(rule, closeness=_closeness(templates, name)) for name, rule in rules.items()}

    def _stricter(self, rule: AcceptanceRule) -> AcceptanceRule:
        """Return ``rule`` for a person with few faces, whose template may be far from what the camera sees."""
        rate = self._false_accept if rule.false_accept is None else rule.false_accept
        return replace(rule, false_accept=rate / _FEW_STRICTER)

    def _calibration(self) -> Calibration | None:
        try:
            return Calibration.load(self._documents)
        except StoreError as error:
            _log.error("%s; %s", error.message, error.hint)
            return None

    def _default(self, templates: Vectors, calibration: Calibration | None) -> AcceptanceRule:
        impostor = stricter(self._scores.impostor, self._strangers.against(templates))
        rate = min(self._false_accept, calibration.false_accept) if calibration is not None else None
        return AcceptanceRule(replace(self._scores, impostor=impostor), rate)


def _closeness(templates: Mapping[str, Vectors], name: str) -> dict[str, float]:
    own = templates[name]
    return {other: float((own @ theirs.T).max()) for other, theirs in templates.items() if other != name}


def _calibrated(calibration: Calibration, name: str) -> AcceptanceRule:
    person = calibration.people[name]
    return AcceptanceRule(person.scores(), calibration.false_accept, person.rivals)


def _log_fit(calibration: Calibration | None, fit: Fit) -> None:
    """Log who is calibrated and who is not, with the command that calibrates."""
    if calibration is None:
        _log.info("%s: using the safe default; to calibrate: %s", fit.complaint, COMMAND)
        return
    if fit.calibrated:
        rate = f"1 stranger in {1 / calibration.false_accept:,.0f}"
        _log.info("calibrated on %s for %s: %s", calibration.made_at.date(), rate, ", ".join(fit.calibrated))
    if fit.changed:
        what = fit.complaint or "new or changed since calibration"
        names = ", ".join(fit.changed)
        _log.warning("%s: using the safe default for %s; to calibrate again: %s", what, names, COMMAND)
