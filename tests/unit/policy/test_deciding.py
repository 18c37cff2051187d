from dataclasses import replace
from pathlib import Path

import pytest

from facesecure.domain import Sighting, Verdict, VerdictKind
from facesecure.policy import Policy
from facesecure.speech.phrases import Phrases
from support.builders import NOON
from support.visitors import faces


def sighting(kind: VerdictKind, name: str | None = None, identifier: str = "s1") -> Sighting:
    return Sighting(identifier, Verdict(kind, "because", name=name), "front door", NOON, NOON, track=1)


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (sighting(VerdictKind.KNOWN, "Anna"), "Anna is at the front door"),
        (sighting(VerdictKind.STRANGER), "A stranger is at the front door"),
        (sighting(VerdictKind.UNIDENTIFIED), "Somebody or something was at the front door"),
    ],
)
def test_each_verdict_has_its_words(seen, words):
    (alert,) = Policy(Phrases()).decide(seen, Path("a.jpg"))
    assert alert.text == words
    assert alert.snapshot_path == Path("a.jpg")


def test_a_sighting_is_told_once_and_its_end_not_at_all():
    policy, first = Policy(Phrases()), sighting(VerdictKind.STRANGER)
    assert len(policy.decide(first)) == 1
    assert policy.decide(replace(first, closing=True)) == []


def test_a_corrected_sighting_says_that_it_corrects():
    later = replace(sighting(VerdictKind.KNOWN, "Anna", "s2"), supersedes="s1")
    policy = Policy(Phrases())
    policy.decide(sighting(VerdictKind.STRANGER, identifier="s1"))
    (alert,) = policy.decide(later)
    assert alert.text == "Correction: Anna is at the front door"


def test_plugins_are_not_given_the_faces():
    with_face = replace(sighting(VerdictKind.STRANGER), faces=faces(1))
    (alert,) = Policy(Phrases()).decide(with_face)
    assert alert.sighting.faces == ()
    assert alert.sighting.identifier == with_face.identifier
