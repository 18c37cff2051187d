"""All about one visit: its faces, scores, films and way, why it was notified, and what a correction would change."""

from __future__ import annotations

import re
from dataclasses import dataclass

from facesecure.alerts.policy.rules import RuleSet
from facesecure.config import FacesecureConfig
from facesecure.domain import Verdict
from facesecure.domain.records import Clip, EnrolledFrom, SeenElsewhere
from facesecure.domain.timeline import TimelineVisit
from facesecure.services.visit_faces import JudgedFace, NameScore, judged_faces, name_scores
from facesecure.services.visit_reason import WhyTold, why_told
from facesecure.storage.store import Store


@dataclass(frozen=True, slots=True)
class Consequences:
    """What a correction of a visit would change. Without ``faces`` kept of it, it cannot be corrected.

    ``faces`` would be remembered as a stranger's; ``good`` of them can be enrolled for somebody. ``enrolled`` are the
    people who are enrolled with faces of this visit, which a correction to another takes from them.
    """

    faces: int
    good: int
    enrolled: tuple[EnrolledFrom, ...]


@dataclass(frozen=True, slots=True)
class VisitDetails:
    """A visit, the sighting that it replaced and that replaced it, and all that is kept of it.

    ``route`` are the cameras of the stay that it belongs to, in order; ``elsewhere`` is what other doors have seen of
    the visitor.
    """

    visit: TimelineVisit
    faces: tuple[JudgedFace, ...]
    scores: tuple[NameScore, ...]
    films: tuple[Clip, ...]
    route: tuple[str, ...]
    why: WhyTold
    consequences: Consequences
    elsewhere: tuple[SeenElsewhere, ...] = ()


def show_visit(config: FacesecureConfig, store: Store, rules: RuleSet, identifier: str) -> VisitDetails:
    """Return all about the sighting with that identifier. Loads no model for recognition.

    Raises UsageError if there is none, StoreError or ModelError if it cannot be judged.
    """
    visit = store.timeline.find(identifier)
    faces = judged_faces(config, store, identifier)
    return VisitDetails(
        visit,
        faces,
        name_scores(config, store, visit.sighting, _nearest(store, visit.sighting.verdict)),
        tuple(store.clips.of(visit.sighting)),
        tuple(store.route(identifier)),
        why_told(store, rules, visit),
        Consequences(
            len(faces),
            sum(not face.reasons for face in faces),
            tuple(store.corrections.enrolled_from(identifier)),
        ),
        () if visit.sighting.visitor is None else store.visitors.find(visit.sighting.visitor).elsewhere,
    )


def _nearest(store: Store, verdict: Verdict) -> str | None:
    """Return the name that the verdict's best score is of; a verdict that is no name says it in its reason only."""
    if verdict.name is not None:
        return verdict.name
    names = sorted((person.name for person in store.people()), key=len, reverse=True)
    return next((name for name in names if re.search(rf" like {re.escape(name)}(?!\w)", verdict.why)), None)
