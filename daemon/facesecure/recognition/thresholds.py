"""What likeness is demanded of whom: as calibrated for this household, and where it is not, the safe default.

The default for a person is the stricter of what the model's card says of everybody and what its stranger model says of
that person's templates, so that not calibrating never lets more strangers in.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from facesecure.domain.errors import StoreError
from facesecure.domain.records import Template
from facesecure.recognition.calibration import COMMAND, FILE_NAME, Calibration, Rival, fingerprint
from facesecure.recognition.impostor_model import ImpostorModel, Vectors, stricter
from facesecure.recognition.score_model import ScoreModel

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AcceptanceRule:
    """What is demanded before somebody is called by one name.

    ``false_accept`` is the rate of strangers let in that was calibrated for, None where the configuration's holds.
    ``closeness`` is the cosine of this person's templates and each other's, by their name; None where scores are no
    cosines. ``least`` is a score below which the name is not given, however rare that is among strangers.
    """

    scores: ScoreModel
    false_accept: float | None = None
    rivals: tuple[Rival, ...] = ()
    closeness: Mapping[str, float] | None = field(default_factory=dict)
    least: float = -1.0

    def rival_near(self, score: float, faces: float) -> Rival | None:
        """Somebody else who comes as near as ``score`` (a mean over ``faces``) more often than they may, if any."""
        return next((rival for rival in self.rivals if rival.comes_near(score, faces)), None)


class AcceptanceRules(Protocol):
    """Knows the standard for each name."""

    def of(self, name: str) -> AcceptanceRule:
        """What to demand of ``name`` at this moment."""


@dataclass(frozen=True, slots=True)
class FixedThresholds:
    """One score model for everybody."""

    scores: ScoreModel

    def of(self, name: str) -> AcceptanceRule:  # noqa: ARG002 - the same for all
        return AcceptanceRule(self.scores)


def by_name(templates: Iterable[Template], model_sha256: str) -> dict[str, Vectors]:
    """Everybody's templates that this model made, float32 (k, size) each."""
    found: dict[str, list[Vectors]] = {}
    for template in templates:
        if template.model_sha256 == model_sha256:
            found.setdefault(template.name, []).append(template.embedding)
    return {name: np.stack(some) for name, some in found.items()}


@dataclass(frozen=True, slots=True)
class Fit:
    """How a calibration fits the people enrolled now: who is ``calibrated``, and who has ``changed`` since or is new.

    ``complaint`` says why it is of no use at all, where it is.
    """

    calibrated: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    complaint: str = ""

    @classmethod
    def of(cls, calibration: Calibration | None, templates: Mapping[str, Vectors], model_sha256: str) -> Fit:
        """``templates`` by name, those of the model in use."""
        names = tuple(sorted(templates))
        if calibration is None:
            return cls(changed=names, complaint="not calibrated for this household")
        if calibration.model_sha256 != model_sha256:
            return cls(changed=names, complaint="calibrated for another model")
        known = {name for name in names if calibration.of(name, fingerprint(templates[name]))}
        return cls(tuple(sorted(known)), tuple(name for name in names if name not in known))


class LiveThresholds:
    """Standards that follow the store and STATE_DIR/calibration.json, looking at most once a second."""

    def __init__(
        self,
        load: Callable[[], Iterable[Template]],
        revision: Callable[[], int],
        model_sha256: str,
        strangers: ImpostorModel,
        scores: ScoreModel,
        state_dir: Path,
        false_accept: float,
        *,
        every: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``load`` and ``revision`` as for ``gallery.LiveGallery``; ``false_accept`` is the configuration's."""
        self._load, self._revision, self._model = load, revision, model_sha256
        self._strangers, self._scores, self._state_dir, self._asked = strangers, scores, state_dir, false_accept
        self._every, self._clock = every, clock
        self._looked_at = clock()
        self._seen = self._stamp()
        self._standards = self._read()

    def of(self, name: str) -> AcceptanceRule:
        """What to demand of ``name``; of somebody who is not enrolled (any more), what the card says."""
        now = self._clock()
        if now - self._looked_at >= self._every:
            self._looked_at = now
            self._follow(self._stamp())
        return self._standards.get(name) or AcceptanceRule(self._scores)

    def _follow(self, stamp: tuple[int, int]) -> None:
        if stamp != self._seen:
            self._seen = stamp
            self._standards = self._read()

    def _stamp(self) -> tuple[int, int]:
        """Changes with the people and with the calibration."""
        try:
            written = (self._state_dir / FILE_NAME).stat().st_mtime_ns
        except OSError:
            written = 0
        return self._revision(), written

    def _read(self) -> dict[str, AcceptanceRule]:
        templates = by_name(self._load(), self._model)
        calibration = self._calibration()
        fit = Fit.of(calibration, templates, self._model)
        if templates:
            _tell(calibration, fit)
        standards = {name: self._default(templates[name], calibration) for name in fit.changed}
        if calibration is not None:
            standards |= {name: _calibrated(calibration, name) for name in fit.calibrated}
        return {name: replace(standard, closeness=_closeness(templates, name)) for name, standard in standards.items()}

    def _calibration(self) -> Calibration | None:
        try:
            return Calibration.load(self._state_dir)
        except StoreError as error:
            _log.warning("%s; %s", error.message, error.hint)
            return None

    def _default(self, templates: Vectors, calibration: Calibration | None) -> AcceptanceRule:
        impostor = stricter(self._scores.impostor, self._strangers.against(templates))
        asked = min(self._asked, calibration.false_accept) if calibration is not None else None
        return AcceptanceRule(replace(self._scores, impostor=impostor), asked)


def _closeness(templates: Mapping[str, Vectors], name: str) -> dict[str, float]:
    own = templates[name]
    return {other: float((own @ theirs.T).max()) for other, theirs in templates.items() if other != name}


def _calibrated(calibration: Calibration, name: str) -> AcceptanceRule:
    person = calibration.people[name]
    return AcceptanceRule(person.scores(), calibration.false_accept, person.rivals)


def _tell(calibration: Calibration | None, fit: Fit) -> None:
    """Never in silence: which of the two holds for whom, and what there is to do."""
    if calibration is None:
        _log.info("%s: the safe default holds; to fit it: %s", fit.complaint, COMMAND)
        return
    if fit.calibrated:
        rate = f"1 stranger in {1 / calibration.false_accept:,.0f}"
        _log.info("calibrated on %s for %s: %s", calibration.made_at.date(), rate, ", ".join(fit.calibrated))
    if fit.changed:
        what = fit.complaint or "new or changed since calibration"
        names = ", ".join(fit.changed)
        _log.warning("%s, so that the safe default holds for %s; re-calibration is offered: %s", what, names, COMMAND)
