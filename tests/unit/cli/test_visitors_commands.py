"""``facesecure visitors`` and ``facesecure events correct``."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from facesecure.camera.synthetic.clip import enrolment_images
from facesecure.config import FacesecureConfig
from facesecure.domain import SeenFace, Verdict, VerdictKind
from facesecure.recognition.visitor_matching import VisitorMatcher
from facesecure.services.model_stack import ModelStack
from support.builders import NOON
from support.store import STRANGER, UNIDENTIFIED, known, picture, sighting


@pytest.fixture(scope="module")
def vision(tmp_path_factory) -> ModelStack:
    return ModelStack.load(FacesecureConfig(), tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def grace(vision) -> list[SeenFace]:
    """Good faces of Grace Hopper, as the daemon would have kept them."""
    enrolment = vision.enrolment()
    for number, image in enumerate(enrolment_images(16)):
        enrolment.add_image(image, str(number))
    faces = [picture.face for picture in enrolment.accepted]
    return [SeenFace(face, vision.embedder.embed(face.image), vision.embedder.sha256, NOON) for face in faces][:8]


@pytest.fixture
def visits(store, vision, grace):
    """``visits("id", faces)``: a visit to its end, of a stranger unless told otherwise."""
    choose = VisitorMatcher(vision.scores).match

    def record(identifier: str, faces: list[SeenFace], verdict: Verdict = STRANGER) -> None:
        store.record(replace(sighting(identifier, verdict, snapshot=picture(8, 8)), faces=tuple(faces)))
        if verdict is STRANGER:
            store.visitors.group(identifier, choose)

    return record


def test_visitors_are_listed_with_how_often_and_when(facesecure, visits, grace):
    visits("first", grace[:4])
    visits("second", grace[4:])
    (visitor,) = facesecure("visitors", "list", "--json").json["visitors"]
    assert (visitor["id"], visitor["visits"], visitor["name"], visitor["faces"]) == (1, 2, None, 8)
    assert visitor["first_seen"] == NOON.isoformat()
    assert Path(visitor["snapshot"]).read_bytes()[:2] == b"\xff\xd8"
    assert "unknown" in facesecure("visitors", "list").out


def test_nobody_yet_is_said_on_stderr(facesecure):
    assert facesecure("visitors", "list").err == "no stranger was seen yet\n"
    assert facesecure("visitors", "list", "--json").json == {"visitors": []}


def test_one_visitor_is_shown_with_visits_and_faces(facesecure, visits, grace):
    visits("first", grace[:4])
    visits("second", grace[4:])
    shown = facesecure("visitors", "show", 1, "--json").json
    assert [event["id"] for event in shown["events"]] == ["first", "second"]
    assert [face["event"] for face in shown["seen"]].count("first") == 4
    assert "seen 2 times" in facesecure("visitors", "show", 1).out


def test_the_way_past_several_cameras_is_shown(facesecure, visits, grace, store, vision):
    visits("first", grace[:4])
    assert "last seen at" not in facesecure("visitors", "list").out
    assert "route" not in facesecure("events", "show", "first").out
    gate = replace(sighting("zz", STRANGER, NOON + timedelta(seconds=20)), source="gate", faces=tuple(grace[4:]))
    store.record(gate)
    store.visitors.group("zz", VisitorMatcher(vision.scores).match)
    (visitor,) = facesecure("visitors", "list", "--json").json["visitors"]
    assert visitor["route"] == ["front door", "gate"]
    assert facesecure("events", "show", "first", "--json").json["route"] == ["front door", "gate"]
    for command in [("visitors", "list"), ("visitors", "show", 1), ("events", "show", "zz")]:
        assert "front door, then gate" in " ".join(facesecure(*command).out.split())


def test_naming_a_visitor_enrols_them_and_says_why_of_each_face(facesecure, visits, grace):
    visits("first", [*grace, grace[0]])
    outcome = facesecure("visitors", "name", 1, "Grace", "--json").json
    assert (outcome["visitor"], outcome["name"], outcome["enrolled"]) == (1, "Grace", True)
    assert outcome["faces"] == outcome["taken"] >= 3
    assert any("nearly the same" in (picture["reason"] or "") for picture in outcome["pictures"])
    assert facesecure.people() == {"Grace": outcome["faces"]}
    event = facesecure("events", "show", "first", "--json").json
    assert (event["verdict"], event["corrected_name"], event["correction"]) == ("stranger", "Grace", "named later")
    assert "Grace (named later)" in facesecure("events", "list").out


def test_naming_again_adds_only_what_is_new(facesecure, visits, grace):
    visits("first", grace[:4])
    taken = facesecure("visitors", "name", 1, "Grace", "--json").json["taken"]
    visits("second", grace)
    again = facesecure("visitors", "name", 2, "grace", "--json").json
    assert again["name"] == "Grace"
    assert again["faces"] == taken + again["taken"]
    assert again["refused"] >= taken, "what was enrolled before is not enrolled twice"


def test_too_few_good_faces_name_nobody_and_each_reason_is_told(facesecure, visits, grace):
    blurred = replace(grace[1], face=replace(grace[1].face, quality=replace(grace[1].face.quality, sharpness=0.05)))
    visits("first", [grace[0], blurred])
    outcome = facesecure("visitors", "name", 1, "Grace")
    assert outcome.code == 1
    assert "only 1 good face; at least 3 needed" in outcome.err
    assert "wait for another visit, or enrol with photos" in outcome.err
    assert "blurred: sharpness 0.05" in outcome.out
    assert facesecure.people() == {}
    assert facesecure("events", "show", "first", "--json").json["correction"] is None


def test_a_visitor_is_forgotten(facesecure, visits, grace):
    visits("first", grace[:3])
    assert facesecure("visitors", "forget", 1, "--json").code == 2, "without a terminal it wants --yes"
    assert len(facesecure("visitors", "list", "--json").json["visitors"]) == 1
    assert facesecure("visitors", "forget", 1, "--yes").out == "visitor 1 is forgotten, with 3 faces\n"
    assert facesecure("visitors", "list", "--json").json == {"visitors": []}
    assert facesecure("events", "show", "first", "--json").json["snapshot"] is None


def test_forgetting_who_was_named_says_that_they_stay_enrolled(facesecure, visits, grace):
    visits("first", grace)
    facesecure("visitors", "name", 1, "Grace")
    assert "Grace stays enrolled" in facesecure("visitors", "forget", 1, "--yes").err
    assert "Grace" in facesecure.people()


@pytest.mark.parametrize("words", [("show", 7), ("name", 7, "Anna"), ("forget", 7)])
def test_a_visitor_who_is_not_there_is_wrong_usage(facesecure, words):
    outcome = facesecure("visitors", *words)
    assert outcome.code == 2
    assert outcome.err.startswith("error: there is no visitor 7\n")


def test_a_name_that_cannot_be_one_is_refused_before_anything_is_done(facesecure, visits, grace):
    visits("first", grace)
    assert facesecure("visitors", "name", 1, "a/b").code == 2
    assert facesecure("visitors", "list", "--json").json["visitors"][0]["name"] is None


def test_an_event_that_was_not_tom_is_corrected_and_shows_both(facesecure, store, visits, grace):
    visits("first", grace)
    facesecure("visitors", "name", 1, "Tom")
    visits("wrong", grace[:3], known("Tom"))
    outcome = facesecure("events", "correct", "wro", "--not", "tom", "--json").json
    assert (outcome["verdict"], outcome["name"], outcome["corrected_verdict"]) == ("known", "Tom", "stranger")
    assert (outcome["remembered"], outcome["removed"]) == (3, 0)
    assert "stranger (corrected: not Tom)" in facesecure("events", "list").out
    assert store.marked_strangers(grace[0].model_sha256).shape == (3, 192)


def test_a_correction_is_told_in_a_sentence(facesecure, visits, grace):
    visits("first", grace)
    outcome = facesecure("events", "correct", "first", "--stranger")
    assert outcome.out == "event first was nobody we know: 8 faces remembered as visitor 1\n"
    outcome = facesecure("events", "correct", "first", "--is", "Grace")
    assert outcome.out.splitlines()[-1].startswith("event first was Grace: ")
    assert facesecure("visitors", "list", "--json").json == {"visitors": []}


def test_an_event_of_faces_too_poor_teaches_nothing(facesecure, visits, grace):
    visits("first", grace[:2])
    outcome = facesecure("events", "correct", "first", "--is", "Grace")
    assert (outcome.code, facesecure.people()) == (1, {})
    assert facesecure("events", "show", "first", "--json").json["correction"] is None


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("ffff", "--stranger"), "there is no sighting 'ffff'"),
        (("fi", "--stranger"), "several sightings begin with 'fi'"),
        (("first",), "give one of: --not NAME, --stranger, --is NAME"),
        (("first", "--not", "Tom", "--stranger"), "give one of"),
        (("first", "--not", "Tom"), "no person called 'Tom' is enrolled"),
        (("fifth", "--stranger"), "no face of sighting fifth is stored"),
        (("fifth", "--is", "Tom"), "no face of sighting fifth is stored"),
        (("first", "--is", ".."), "cannot be a person's name"),
    ],
)
def test_a_correction_that_cannot_be_is_wrong_usage_and_says_why(facesecure, store, visits, grace, words, complaint):
    visits("first", grace[:3])
    store.record(sighting("fifth", UNIDENTIFIED))
    outcome = facesecure("events", "correct", *words)
    assert outcome.code == 2
    assert complaint in outcome.err
    assert store.sighting("first").correction is None


def test_not_who_it_was_not_taken_for_is_told(facesecure, visits, grace):
    visits("first", grace)
    facesecure("events", "correct", "first", "--is", "Grace")
    visits("second", grace[:3])
    outcome = facesecure("events", "correct", "second", "--not", "Grace")
    assert outcome.code == 2
    assert "was not taken for Grace: the verdict was stranger" in outcome.err


def test_an_export_holds_the_corrections(facesecure, visits, grace):
    visits("first", grace)
    facesecure("visitors", "name", 1, "Grace")
    assert '"corrected_name": "Grace"' in facesecure("events", "export").out
    assert "corrected_name" in facesecure("events", "export", "--format", "csv").out.splitlines()[0]


def test_events_can_be_asked_for_as_corrected(facesecure, visits, grace):
    visits("first", grace)
    facesecure("visitors", "name", 1, "Grace")
    assert [e["id"] for e in facesecure("events", "list", "--kind", "known", "--json").json["events"]] == ["first"]
    assert facesecure("events", "list", "--kind", VerdictKind.STRANGER, "--json").json["events"] == []


def test_two_visitors_are_merged(facesecure, store, visits, grace):
    visits("first", grace[:4])
    others = [replace(face, embedding=-face.embedding) for face in grace[4:]]
    visits("second", others)
    assert facesecure("visitors", "merge", 1, 2).out == "visitor 2 is visitor 1 now, seen 2 times\n"
    (visitor,) = facesecure("visitors", "list", "--json").json["visitors"]
    assert (visitor["id"], visitor["visits"]) == (1, 2)
    assert "there is no visitor 2" in facesecure("visitors", "merge", 1, 2).err
    entry = facesecure("audit", "--json").json["entries"][-1]
    assert (entry["action"], entry["subjects"]) == ("visitors-merged", ["visitor 1", "visitor 2"])
