from dataclasses import replace

import pytest

from facesecure.config import VerdictConfig
from facesecure.domain import Recognition, Verdict, VerdictKind
from facesecure.recognition.calibration import Rival, Spread
from facesecure.recognition.decision import VerdictRule
from facesecure.recognition.evidence import Evidence
from facesecure.recognition.score_model import ScoreDistribution
from facesecure.recognition.thresholds import AcceptanceRule
from support.builders import SCORES, looks_like, quality

KNOWN, STRANGER, UNIDENTIFIED = VerdictKind.KNOWN, VerdictKind.STRANGER, VerdictKind.UNIDENTIFIED


def verdict_on(*recognitions: Recognition, every: float = 0.5, config: VerdictConfig | None = None) -> Verdict:
    evidence = Evidence()
    for number, recognition in enumerate(recognitions):
        evidence = evidence.add(recognition, quality(), number * every)
    return VerdictRule(config or VerdictConfig(), SCORES).decide(evidence)


def test_faces_like_tom_are_tom():
    verdict = verdict_on(*[looks_like(Tom=0.80, Anna=0.04)] * 3)
    assert (verdict.kind, verdict.name, verdict.second_name) == (KNOWN, "Tom", "Anna")
    assert verdict.faces_used == 3
    assert verdict.score == pytest.approx(0.80)


def test_faces_like_nobody_are_a_stranger():
    assert verdict_on(*[looks_like(Tom=0.08, Anna=0.01)] * 3).kind is STRANGER


def test_one_lucky_frame_among_unlike_ones_names_nobody():
    faces = [looks_like(Tom=0.05, Anna=0.0)] * 11 + [looks_like(Tom=0.91, Anna=0.0)]
    assert verdict_on(*faces).kind is not KNOWN


def test_a_single_face_is_never_enough():
    assert verdict_on(looks_like(Tom=0.95)).kind is UNIDENTIFIED
    assert verdict_on(looks_like(Tom=0.0)).kind is UNIDENTIFIED


def test_scores_between_the_two_wait_for_more():
    verdict = verdict_on(*[looks_like(Tom=0.5)] * 4)
    assert verdict.kind is UNIDENTIFIED
    assert "too little for a name" in verdict.why


def test_two_people_who_look_alike_are_not_guessed_between():
    verdict = verdict_on(*[looks_like(Tom=0.82, Tim=0.81)] * 5)
    assert verdict.kind is UNIDENTIFIED
    assert "Tim comes too close" in verdict.why


def test_without_anybody_enrolled_a_good_face_is_a_stranger():
    assert verdict_on(looks_like(), looks_like()).kind is STRANGER


def test_a_stricter_rate_asks_for_a_better_likeness():
    faces = [looks_like(Tom=0.6, Anna=0.0)] * 2
    assert verdict_on(*faces, config=VerdictConfig(false_accept=0.05)).kind is KNOWN
    assert verdict_on(*faces, config=VerdictConfig(false_accept=1e-9)).kind is not KNOWN


def test_more_people_enrolled_make_a_chance_likeness_likelier_and_so_the_demand_higher():
    few = verdict_on(*[looks_like(Tom=0.57)] * 2, config=VerdictConfig(false_accept=1e-4))
    crowd = {f"P{number}": 0.0 for number in range(500)}
    many = verdict_on(*[looks_like(Tom=0.57, **crowd)] * 2, config=VerdictConfig(false_accept=1e-4))
    assert few.kind is KNOWN
    assert many.kind is not KNOWN


def test_poor_faces_are_remembered_with_their_reason_and_are_no_evidence():
    evidence = Evidence().refuse(quality(reasons=("blurred: sharpness 0.01",)))
    verdict = VerdictRule(VerdictConfig(), SCORES).decide(evidence)
    assert verdict.kind is UNIDENTIFIED
    assert "blurred" in verdict.why
    assert verdict.faces_used == 0


def test_somebody_enrolled_in_the_middle_of_a_visit_is_judged_on_what_came_after():
    evidence = Evidence()
    for number in range(4):
        evidence = evidence.add(looks_like(Anna=0.02), quality(), number * 1.0)
    for number in range(4, 8):
        evidence = evidence.add(looks_like(Anna=0.02, Tom=0.8), quality(), number * 1.0)
    assert VerdictRule(VerdictConfig(), SCORES).decide(evidence).name == "Tom"


def test_unclear_faces_of_the_family_are_not_a_stranger():
    """A face that keeps half of its likeness scores half as much, and that is no evidence for a stranger."""
    evidence, clear = Evidence(), Evidence()
    for number in range(4):
        evidence = evidence.add(looks_like(Tom=0.42), quality(clarity=0.5), number * 0.5)
        clear = clear.add(looks_like(Tom=0.42), quality(clarity=1.0), number * 0.5)
    judge = VerdictRule(VerdictConfig(), SCORES)
    assert judge.decide(clear).kind is STRANGER
    verdict = judge.decide(evidence)
    assert verdict.kind is UNIDENTIFIED
    assert "unclear" in verdict.why


def test_many_unclear_faces_do_not_outweigh_a_few_clear_ones():
    evidence = Evidence()
    for number in range(10):
        evidence = evidence.add(looks_like(Tom=0.3), quality(clarity=0.4), number * 0.5)
    for number in range(10, 14):
        evidence = evidence.add(looks_like(Tom=0.84), quality(clarity=1.0), number * 1.0)
    assert VerdictRule(VerdictConfig(), SCORES).decide(evidence).name == "Tom"


@pytest.mark.parametrize(("closeness", "verdict"), [(0.0, KNOWN), (0.7, UNIDENTIFIED)])
def test_people_who_look_alike_take_a_longer_lead(closeness, verdict):
    """0.66 against 0.55 would do for two who look nothing alike; a sister reaches as much."""

    class Household:
        def of(self, name: str) -> AcceptanceRule:
            return AcceptanceRule(SCORES, closeness={"Anna": closeness, "Tina": closeness})

    evidence = Evidence()
    for number in range(2):
        evidence = evidence.add(looks_like(Tina=0.66, Anna=0.55), quality(), number * 2.0)
    found = VerdictRule(VerdictConfig(), Household()).decide(evidence)
    assert found.kind is verdict
    if verdict is UNIDENTIFIED:
        assert found.why == "2 usable faces like Tina, but Anna comes too close (0.55)"


def test_a_clear_look_at_one_of_two_who_are_alike_is_named():
    class Sisters:
        def of(self, name: str) -> AcceptanceRule:
            return AcceptanceRule(SCORES, closeness={"Anna": 0.7, "Tina": 0.7})

    evidence = Evidence()
    for number in range(3):
        evidence = evidence.add(looks_like(Tina=0.86, Anna=0.6), quality(), number * 2.0)
    assert VerdictRule(VerdictConfig(), Sisters()).decide(evidence).name == "Tina"


class OneBy:
    """A standard for each name; everybody else has the usual one."""

    def __init__(self, **standards: AcceptanceRule) -> None:
        self._standards = standards

    def of(self, name: str) -> AcceptanceRule:
        return self._standards.get(name, AcceptanceRule(SCORES))


def judged(standards: OneBy, faces: int = 2, **scores: float) -> Verdict:
    evidence = Evidence()
    for number in range(faces):
        evidence = evidence.add(looks_like(**scores), quality(), number * 2.0)
    return VerdictRule(VerdictConfig(false_accept=1e-4), standards).decide(evidence)


def test_somebody_with_an_average_face_needs_a_better_likeness():
    average = AcceptanceRule(replace(SCORES, impostor=ScoreDistribution(0.1, 0.16, 0.08)))
    assert judged(OneBy(), Tom=0.6, Anna=0.0).kind is KNOWN
    assert judged(OneBy(Tom=average), Tom=0.6, Anna=0.0).kind is not KNOWN
    assert judged(OneBy(Anna=average), Tom=0.6, Anna=0.0).kind is KNOWN


def test_the_rate_that_was_calibrated_for_holds_instead_of_the_configurations():
    strict, loose = (AcceptanceRule(SCORES, false_accept=rate) for rate in (1e-9, 0.05))
    assert judged(OneBy(Tom=strict), Tom=0.6, Anna=0.0).kind is not KNOWN
    assert judged(OneBy(Tom=loose), Tom=0.545, Anna=0.0).kind is KNOWN
    assert judged(OneBy(), Tom=0.545, Anna=0.0).kind is not KNOWN


def test_what_a_relative_would_reach_too_often_is_no_name_and_no_stranger():
    scores = Spread(mean=0.55, sd_between=0.04, sd_within=0.07)
    brother = Rival(name="Tim", kind="person", scores=scores, rate=0.01)
    raised = OneBy(Tom=AcceptanceRule(SCORES, rivals=(brother,)))
    verdict = judged(raised, Tom=0.64, Anna=0.0)
    assert judged(OneBy(), Tom=0.64, Anna=0.0).kind is KNOWN
    assert verdict.kind is UNIDENTIFIED
    assert verdict.why == "2 usable faces, 0.64 like Tom, but Tim comes as near too often"
    assert judged(raised, Tom=0.8, Anna=0.0).name == "Tom"


def test_more_faces_tell_a_person_from_a_relative_where_one_does_not():
    scores = Spread(mean=0.5, sd_between=0.03, sd_within=0.09)
    raised = OneBy(Tom=AcceptanceRule(SCORES, rivals=(Rival(name="Tim", kind="person", scores=scores, rate=0.01),)))
    assert judged(raised, faces=2, Tom=0.65).kind is UNIDENTIFIED
    assert judged(raised, faces=12, Tom=0.65).kind is KNOWN
