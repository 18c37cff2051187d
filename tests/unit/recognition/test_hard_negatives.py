import numpy as np
import pytest

from facesecure.config import VerdictConfig
from facesecure.domain import Recognition, VerdictKind
from facesecure.domain.records import Template
from facesecure.recognition.decision import VerdictRule
from facesecure.recognition.evidence import Evidence
from facesecure.recognition.gallery import Gallery, HardNegative, HardNegatives, LiveGallery
from support.builders import NOON, SCORES, quality

TOM = np.array([1, 0, 0], np.float32)
TWIN = np.array([0.7, np.sqrt(1 - 0.7**2), 0], np.float32)
"""Somebody who is often taken for Tom."""


def gallery(*negatives: HardNegative) -> Gallery:
    anna = np.array([0, 0, 1], np.float32)
    templates = [Template(name, face, "m", 5, NOON) for name, face in (("Tom", TOM), ("Anna", anna))]
    return Gallery(templates, negatives)


def towards(share: float) -> np.ndarray:
    """A face that is ``share`` Tom's look-alike and for the rest Tom."""
    mixed = (1 - share) * TOM + share * TWIN
    return np.asarray(mixed / np.linalg.norm(mixed), np.float32)


def verdict(faces: Gallery, embedding: np.ndarray) -> VerdictKind:
    evidence = Evidence()
    for second in range(4):
        evidence = evidence.add(Recognition(faces.scores(embedding)), quality(), float(second))
    return VerdictRule(VerdictConfig(), SCORES).decide(evidence).kind


def test_without_decoys_scores_are_cosines():
    assert HardNegatives().penalise({"Tom": 0.7}, TWIN) == {"Tom": 0.7}


def test_a_marked_look_alike_is_no_longer_taken_for_tom():
    assert verdict(gallery(), TWIN) is VerdictKind.KNOWN
    assert verdict(gallery(HardNegative("Tom", TWIN)), TWIN) is VerdictKind.STRANGER


def test_tom_himself_scores_as_before():
    assert gallery(HardNegative("Tom", TWIN)).scores(TOM) == gallery().scores(TOM)
    assert verdict(gallery(HardNegative("Tom", TWIN)), towards(0.2)) is VerdictKind.KNOWN


def test_whoever_was_not_tom_may_still_be_anna():
    anna = np.array([0, 0.3, 1], np.float32) / np.float32(np.sqrt(1.09))
    assert gallery(HardNegative("Tom", anna)).scores(anna)["Anna"] == gallery().scores(anna)["Anna"]


@pytest.mark.parametrize("share", np.linspace(0, 1, 7))
def test_the_more_it_looks_like_the_decoy_the_less_it_is_tom_without_a_jump(share):
    marked = gallery(HardNegative("Tom", TWIN))
    here, further = (marked.scores(towards(s))["Tom"] for s in (share, share + 0.01))
    assert here >= further
    assert here - further < 0.06


def test_a_running_daemon_heeds_a_mark_within_a_second():
    now, revision, negatives = [0.0], [1], []
    live = LiveGallery(
        lambda: [Template("Tom", TOM, "m", 5, NOON)], lambda: revision[0], "m",
        hard_negatives=lambda model: negatives, clock=lambda: now[0],
    )  # fmt: skip
    before = live.current().scores(TWIN)["Tom"]
    negatives.append(HardNegative("Tom", TWIN))
    revision[0], now[0] = 2, 1.0
    assert live.current().scores(TWIN)["Tom"] < before - 0.2
