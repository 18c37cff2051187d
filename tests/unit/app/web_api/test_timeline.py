"""What the page is told of visits, on a real store, through the checks that every request passes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from facesecure.app.web_api.build import all_verbs
from facesecure.app.web_api.guard import Guard
from facesecure.app.web_api.parts import WebParts
from facesecure.app.web_api.request import Request
from facesecure.app.web_api.verb import Answer, Client, Refused
from facesecure.app.web_api.visit_document import details_document
from facesecure.domain import Alert, Box, Subject, Verdict, VerdictKind
from facesecure.domain.accounts import Role
from facesecure.domain.deliveries import PlannedDelivery
from facesecure.domain.door_visits import DoorVisit
from facesecure.domain.mode import Mode
from facesecure.services.thumbnails import SIDE, around
from facesecure.services.visit_details import show_visit
from support.builders import NOON
from support.page_socket import SignedIn, page_parts, token_of
from support.page_visits import film_pieces, keep_film
from support.store import UNIDENTIFIED, enrolled_face, known, picture, sighting
from support.visitors import faces, known_to, visit

GARAGE = "b" * 32


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[WebParts]:
    with page_parts(tmp_path / "state") as made:
        yield made


class Asking:
    """Asks verbs as a browser with that role."""

    def __init__(self, parts: WebParts) -> None:
        self.parts = parts
        self._guard = Guard(all_verbs(), parts, SignedIn())

    def __call__(self, verb: str, role: Role = Role.MEMBER, **arguments: Any) -> Answer:
        admitted = self._guard.admit(Request(verb, arguments, token_of(role), Client(), 0))
        return self._guard.answer(admitted)

    def kind(self, verb: str, role: Role = Role.MEMBER, **arguments: Any) -> str:
        """Why it is refused."""
        with pytest.raises(Refused) as refused:
            self(verb, role, **arguments)
        return refused.value.kind.value


@pytest.fixture
def ask(parts: WebParts) -> Asking:
    return Asking(parts)


def shown(answer: Answer) -> list[str]:
    return [one["id"] for one in answer.result["visits"]]


def test_pages_are_asked_for_by_the_place_where_they_begin(ask: Asking) -> None:
    for number in range(5):
        ask.parts.store.record(sighting(f"visit-{number}", when=NOON + timedelta(minutes=number)))
    first = ask("timeline", size=2)
    assert shown(first) == ["visit-4", "visit-3"]
    second = ask("timeline", size=2, before=first.result["older"])
    assert shown(second) == ["visit-2", "visit-1"]
    third = ask("timeline", size=2, before=second.result["older"])
    assert (shown(third), third.result["older"]) == (["visit-0"], None)


def test_only_what_came_since_is_told_to_a_page_that_is_open(ask: Asking) -> None:
    ask.parts.store.record(sighting("first"))
    newest = ask("timeline").result["newest"]
    assert shown(ask("timeline", after=newest)) == []
    ask.parts.store.record(sighting("second", when=NOON + timedelta(seconds=3), supersedes="first"))
    answer = ask("timeline", after=newest).result
    assert [(one["id"], one["supersedes"]) for one in answer["visits"]] == [("second", "first")]
    assert shown(ask("timeline", after=answer["newest"])) == []


def test_a_page_says_who_was_told_and_names_no_file(ask: Asking) -> None:
    seen = sighting("one", known("Tom"), snapshot=picture())
    ask.parts.store.record(seen)
    later = NOON + timedelta(days=900)
    ask.parts.store.outbox.write(Alert.about(seen, "Tom is here."), [PlannedDelivery("phone", later)])
    (one,) = ask("timeline").result["visits"]
    assert (one["verdict"], one["name"], one["camera"], one["snapshot"]) == ("known", "Tom", "front door", True)
    assert [(told["text"], [d["channel"] for d in told["deliveries"]]) for told in one["told"]] == [
        ("Tom is here.", ["phone"])
    ]
    assert str(ask.parts.state_dir) not in repr(one)


def test_every_filter_reaches_the_store(ask: Asking) -> None:
    store = ask.parts.store
    store.add_person("Tom", [enrolled_face()])
    store.record(sighting("tom", known("Tom")))
    store.record(replace(sighting("cat", UNIDENTIFIED), subject=Subject.ANIMAL, source="gate"))
    store.record(replace(sighting("shadow", UNIDENTIFIED, NOON - timedelta(days=3)), subject=Subject.NOTHING))
    assert shown(ask("timeline", person="tom")) == ["tom"]
    assert shown(ask("timeline", verdict="known")) == ["tom"]
    assert shown(ask("timeline", camera="gate")) == ["cat"]
    assert shown(ask("timeline", subject="animal")) == ["cat"]
    assert shown(ask("timeline", subject="nothing")) == ["shadow"]
    day = f"{(NOON - timedelta(days=3)).astimezone():%Y-%m-%d}"
    assert shown(ask("timeline", day=day)) == ["shadow"]
    ask("visit-review", visit="cat")
    assert shown(ask("timeline", to_review=True)) == ["tom", "shadow"]
    assert ask("timeline").result["to_review"] == 2


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("verdict", "burglar"),
        ("person", "a/b"),
        ("person", "x" * 65),
        ("day", "2026-02-30"),
        ("day", "0001-01-01"),
        ("day", "yesterday"),
        ("before", "2026-05-01T12:00:00~one"),
        ("before", "0001-01-01T00:00:00+00:00~one"),
        ("before", "one"),
        ("after", "2026-05-01T12:00:00+00:00~../one"),
        ("size", 10_000),
        ("size", 0),
        ("subject", "burglar"),
        ("sort", "name"),
    ],
)
def test_a_filter_that_cannot_be_is_refused(ask: Asking, argument: str, value: Any) -> None:
    assert ask.kind("timeline", Role.VIEWER, **{argument: value}) == "invalid"


def test_a_thumbnail_is_a_small_square_around_the_face(ask: Asking) -> None:
    image = np.zeros((480, 640, 3), np.uint8)
    image[100:140, 500:540] = (250, 30, 30)
    seen = replace(sighting("one", snapshot=image), box=Box(500, 100, 540, 140))
    ask.parts.store.record(seen)
    small = cv2.imdecode(np.frombuffer(ask("thumbnail", Role.VIEWER, visit="one").body, np.uint8), cv2.IMREAD_COLOR)
    assert small is not None
    assert small.shape == (SIDE, SIDE, 3)
    blue, green, red = small[SIDE // 2, SIDE // 2]
    assert red > 200 > 90 > max(green, blue)
    assert small[4, 4].max() < 40
    whole = ask("snapshot", Role.VIEWER, visit="one").body
    shown_whole = cv2.imdecode(np.frombuffer(whole, np.uint8), cv2.IMREAD_COLOR)
    assert shown_whole is not None
    assert shown_whole.shape == image.shape


@pytest.mark.parametrize("box", [None, Box(-20, -30, 15, 20), Box(600, 440, 700, 500), Box(0, 0, 640, 480)])
def test_what_is_shown_lies_within_the_snapshot(box: Box | None) -> None:
    part = around(np.zeros((480, 640, 3), np.uint8), box)
    assert part.shape[0] == part.shape[1] > 40


def test_a_second_snapshot_of_the_same_visit_is_drawn_anew(ask: Asking) -> None:
    first = sighting("one", snapshot=np.full((80, 80, 3), 250, np.uint8))
    ask.parts.store.record(first)
    bright = ask("thumbnail", visit="one").body
    ask.parts.store.update(replace(first, snapshot=np.zeros((80, 80, 3), np.uint8), closing=True))
    assert ask("thumbnail", visit="one").body != bright


def test_a_viewer_looks_and_does_not_mark(ask: Asking) -> None:
    ask.parts.store.record(sighting("one"))
    assert ask.kind("timeline", Role.KIOSK) == "forbidden"
    assert ask.kind("visit-review", Role.VIEWER, visit="one") == "forbidden"
    assert ask.kind("timeline-review", Role.VIEWER, newest=ask("timeline").result["newest"]) == "forbidden"


def test_all_that_the_page_showed_are_marked_as_reviewed_at_once(ask: Asking) -> None:
    for number in range(3):
        ask.parts.store.record(sighting(f"visit-{number}", when=NOON + timedelta(minutes=number)))
    newest = ask("timeline").result["newest"]
    ask.parts.store.record(sighting("later", when=NOON + timedelta(hours=1)))
    assert ask("timeline-review", newest=newest).result == {"reviewed": 3}
    assert shown(ask("timeline", to_review=True)) == ["later"]


def test_a_visit_tells_what_a_correction_would_change(ask: Asking) -> None:
    store = ask.parts.store
    store.add_person("Tom", known_to(1))
    visit(store, "one", 1, verdict=known("Tom"))
    answer = ask("visit", Role.VIEWER, visit="one").result
    assert answer["changes"]["faces"] == len(answer["faces"]) == 3
    assert answer["changes"]["enrolled"] == []
    assert answer["people"] == ["Tom"]
    assert answer["route"] == ["front door"]
    assert answer["faces"][0]["nearest"][0]["name"] == "Tom"
    assert answer["decided"]["verdict"] == "known"
    assert "embedding" not in repr(answer)


def test_a_face_is_shown_only_with_the_visit_that_it_is_of(ask: Asking) -> None:
    for number in (1, 2):
        visit(ask.parts.store, f"visit-{number}", number)
    number = ask("visit", visit="visit-1").result["faces"][0]["id"]
    assert ask("visit-face", Role.VIEWER, visit="visit-1", face=number).body.startswith(b"\xff\xd8\xff")
    assert ask.kind("visit-face", visit="visit-2", face=number) == "missing"


def test_why_nobody_was_told_names_the_alert_before(ask: Asking) -> None:
    store = ask.parts.store
    for number in (0, 1):
        visit(store, f"visit-{number}", 1, number, when=NOON + timedelta(seconds=40 * number))
    first = replace(sighting("visit-0"), source="front door")
    alert = replace(Alert.about(first, "A stranger is here."), created_at=NOON + timedelta(seconds=1))
    store.outbox.write(alert, [PlannedDelivery("phone", NOON + timedelta(days=900))])
    assert ask("visit", visit="visit-0").result["why_told"]["reason"] == "notified"
    why = ask("visit", visit="visit-1").result["why_told"]
    assert (why["reason"], why["alert_visit"], why["cooldown"]) == ("held-back", "visit-0", 120.0)


@pytest.mark.parametrize(
    ("mode", "reason"), [(Mode.OFF, "disarmed"), (Mode.AWAY, "otherwise"), (Mode.HOME, "otherwise"), (None, "unknown")]
)
def test_why_nobody_was_told_knows_the_mode_of_then(ask: Asking, mode: Mode | None, reason: str) -> None:
    ask.parts.store.record(replace(sighting("one"), mode=mode))
    answer = ask("visit", visit="one").result
    assert (answer["mode"], answer["why_told"]["reason"]) == (mode, reason)


def test_a_film_that_is_being_taken_is_told_from_one_that_broke_off(ask: Asking, tmp_path: Path) -> None:
    parts = ask.parts
    visit(parts.store, "one", 1)
    film = keep_film(parts.store, NOON, film_pieces(tmp_path)[:-1], whole=False)
    details = show_visit(parts.config, parts.store, parts.policy.rules, "one")
    for taken in (True, False):
        (shown_film,) = details_document(details, {film} if taken else ())["films"]
        assert (shown_film["id"], shown_film["whole"], shown_film["being_taken"]) == (film, False, taken)


def test_the_score_of_a_stranger_is_of_the_name_that_the_verdict_was_about(ask: Asking) -> None:
    store = ask.parts.store
    store.add_person("Tom", known_to(1))
    store.add_person("Tommy", known_to(2))  # whom the faces look like now, since they were enrolled from it
    why = "3 usable faces, 0.21 like Tom at most: nobody we know"
    verdict = Verdict(VerdictKind.STRANGER, why, score=0.21, faces_used=3)
    store.record(replace(sighting("one", verdict), faces=faces(2)))
    (score,) = ask("visit", visit="one").result["scores"]
    assert (score["name"], score["score"]) == ("Tom", 0.21)
    assert 0.2 < score["needed"] < 1


def test_a_mistaken_name_is_taken_back(ask: Asking) -> None:
    store = ask.parts.store
    store.add_person("Tom", known_to(1))
    visit(store, "one", 2, verdict=known("Tom"))
    assert ask.kind("visit-was-not", Role.VIEWER, visit="one", name="Tom") == "forbidden"
    answer = ask("visit-was-not", visit="one", name="Tom").result
    assert (answer["remembered"], answer["removed"]) == (3, 0)
    after = ask("visit", visit="one").result
    assert (after["verdict"], after["correction"], after["visitor"]) == ("stranger", "corrected: not Tom", 1)
    assert after["reviewed_at"] is not None
    assert after["decided"]["name"] == "Tom"


def test_a_correction_that_cannot_be_says_why(ask: Asking) -> None:
    store = ask.parts.store
    store.add_person("Tom", known_to(1))
    store.record(sighting("faceless", UNIDENTIFIED))
    visit(store, "one", 2)
    assert ask.kind("visit-was-not", visit="faceless") == "invalid"
    assert ask.kind("visit-was-not", visit="one", name="Tom") == "invalid"
    assert ask.kind("visit-was-not", visit="one", name="Nobody") == "invalid"


@pytest.mark.parametrize(
    ("verb", "more"),
    [
        ("visit", {}),
        ("thumbnail", {}),
        ("snapshot", {}),
        ("visit-review", {}),
        ("visit-face", {"face": 1}),
        ("visit-was-not", {}),
        ("visit-was", {"name": "Tom"}),
    ],
)
@pytest.mark.parametrize("identifier", ["on", "another", "one.jpg", "ONE"])
def test_what_is_not_there_is_missing_whatever_it_resembles(
    ask: Asking, verb: str, more: dict[str, Any], identifier: str
) -> None:
    visit(ask.parts.store, "one", 1)
    assert ask.kind(verb, visit=identifier, **more) == "missing"


def elsewhere(parts: WebParts, *visits: DoorVisit) -> None:
    parts.commands.elsewhere.append(lambda: sorted(visits, key=lambda one: one.place, reverse=True))


def at_garage(identifier: str, minutes: float, name: str | None = None, door: str = GARAGE) -> DoorVisit:
    kind, when = VerdictKind.KNOWN if name else VerdictKind.STRANGER, NOON + timedelta(minutes=minutes)
    return DoorVisit(identifier, door, "garage", kind, name, "yard", when, when, picture=True)


def test_visits_at_other_doors_stand_among_those_here_page_after_page(ask: Asking) -> None:
    for number in range(3):
        ask.parts.store.record(sighting(f"here-{number}", when=NOON + timedelta(minutes=number)))
    elsewhere(ask.parts, *(at_garage(f"there-{number}", number + 0.5) for number in range(3)))
    seen, before = list[str](), None
    while True:
        page = ask("timeline", Role.VIEWER, size=2, **({"before": before} if before else {}))
        seen += shown(page)
        if (before := page.result["older"]) is None:
            break
    assert seen == ["there-2", "here-2", "there-1", "here-1", "there-0", "here-0"]
    assert page.result["doors"] == [("garage", GARAGE)]
    newest = ask("timeline", after=f"{(NOON + timedelta(minutes=2)).isoformat()}~here-2")
    assert shown(newest) == ["there-2"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"door": "here"}, ["here"]),
        ({"door": GARAGE}, ["stranger", "anna"]),
        ({"door": "c" * 32}, []),
        ({"person": "ANNA"}, ["anna"]),
        ({"verdict": "stranger"}, ["stranger", "here"]),
        ({"camera": "yard"}, []),
        ({"to_review": True}, ["here"]),
        ({"subject": "animal"}, []),
        ({"day": f"{(NOON + timedelta(days=3)).astimezone():%Y-%m-%d}"}, []),
    ],
)
def test_visits_at_other_doors_are_filtered_too(ask: Asking, wanted: dict[str, Any], found: list[str]) -> None:
    ask.parts.store.record(sighting("here"))
    elsewhere(
        ask.parts, at_garage("stranger", 2), at_garage("anna", 1, "Anna"), at_garage("slash", -1, "a/b", "c" * 32)
    )
    assert [one for one in shown(ask("timeline", **wanted)) if one != "slash"] == found


def test_a_visit_at_another_door_is_told_without_what_only_that_door_has(ask: Asking) -> None:
    elsewhere(ask.parts, at_garage("anna", 1, "Anna"))
    visit = ask("visit-elsewhere", Role.VIEWER, visit="anna").result
    assert (visit["door_name"], visit["name"], visit["camera"], visit["picture"]) == ("garage", "Anna", "yard", True)
    assert ask.kind("visit-elsewhere", visit="nobody") == "missing"
    assert ask.kind("visit-elsewhere", Role.KIOSK, visit="anna") == "forbidden"
