"""The timeline and the page of a visit, through the real web process' server and the daemon's real socket."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from facesecure.domain import Alert, VerdictKind
from facesecure.domain.accounts import Role
from facesecure.domain.deliveries import HOUSEHOLD, DeliveryState, DeliveryStatus, PlannedDelivery
from facesecure.domain.door_visits import DoorVisit, PictureState
from facesecure.services import audit
from facesecure.storage.store import Store
from facesecure.web.films import Wanted, wanted
from support.builders import NOON
from support.camera.films import played
from support.page.served import Answered, Served, served_house
from support.page_visits import fill, film_pieces, keep_film
from support.store import known, sighting
from support.visitors import visit

MEMBER, VIEWER = Role.MEMBER, Role.VIEWER


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Served]:
    with served_house(tmp_path / "state") as served:
        assert served.parts is not None
        fill(served.parts.store)
        yield served


@pytest.fixture
def store(house: Served) -> Store:
    assert house.parts is not None
    return house.parts.store


def shown(answer: Answered) -> list[str]:
    assert answer.status == 200, answer.text
    return re.findall(r'<li class="visit[^>]* data-visit="visit-([^"]+)"', answer.text)


def text(answer: Answered) -> str:
    """What a person reads."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", answer.text)))


def test_a_timeline_shows_who_came_newest_first(house: Served) -> None:
    answer = house.get("/timeline", VIEWER)
    assert shown(answer) == ["cat", "stranger-2", "stranger-1", "tom"]
    for words in ("An animal", "Visitor 1, second time", "Visitor 1, first time", "Tom", "gate", "Nobody was notified"):
        assert words in text(answer)
    assert answer.text.count("<h2") == 3, "a heading for each day"


def test_a_timeline_says_who_heard(house: Served, store: Store) -> None:
    alert = Alert.about(sighting("tom", known("Tom")), "Tom is here.")
    store.outbox.write(alert, [PlannedDelivery(one, NOON + timedelta(days=999)) for one in ("phone", "bell", "log")])
    store.outbox.mark(alert.identifier, "phone", DeliveryStatus(DeliveryState.DELIVERED, 1, "phone"))
    store.outbox.mark(alert.identifier, "bell", DeliveryStatus(DeliveryState.EXPIRED, 3, "bell", "no answer"))
    words = text(house.get("/timeline?person=Tom", VIEWER))
    assert "Reached: phone" in words
    assert "Not reached: bell" in words
    details = text(house.get("/visit/tom", VIEWER))
    assert "bell: came too late, and was given up" in details
    assert "3 tries" in details
    assert "no answer" in details


def test_a_timeline_says_that_another_door_notified(house: Served, store: Store) -> None:
    alert = Alert.about(sighting("stranger-2"), "A stranger")
    store.outbox.write(alert, [PlannedDelivery(HOUSEHOLD, NOON + timedelta(days=999))])
    why = DeliveryStatus(DeliveryState.WITHDRAWN, 1, error="the door garage notified")
    store.outbox.mark(alert.identifier, HOUSEHOLD, why)
    assert "Another door notified" in text(house.get("/timeline?verdict=stranger", VIEWER))
    assert "the door garage notified" in text(house.get("/visit/stranger-2", VIEWER))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("verdict=stranger", ["stranger-2", "stranger-1"]),
        ("person=Tom&verdict=&camera=&day=&subject=", ["tom"]),
        ("camera=gate", ["cat"]),
        ("subject=animal", ["cat"]),
        ("to_review=yes&verdict=known", ["tom"]),
        (f"day={(NOON + timedelta(days=1)).astimezone():%Y-%m-%d}", ["stranger-1"]),
        ("person=Nobody", []),
    ],
)
def test_a_filter_is_a_form_that_is_sent(house: Served, query: str, found: list[str]) -> None:
    answer = house.get(f"/timeline?{query}", VIEWER)
    assert shown(answer) == found
    assert ("No visit fits" in answer.text) == (found == [])


@pytest.mark.parametrize("query", ["verdict=burglar", "day=tomorrow", "person=a/b", "subject=%00", "day=2026-13-01"])
def test_a_filter_that_cannot_be_is_an_error_page(house: Served, query: str) -> None:
    assert house.get(f"/timeline?{query}", VIEWER).status == 400


def test_older_visits_are_behind_a_link(house: Served, store: Store) -> None:
    for number in range(60):
        store.record(sighting(f"old-{number:02}", when=NOON - timedelta(hours=number + 1)))
    seen, path = [], "/timeline"
    while path:
        answer = house.get(path, VIEWER)
        seen += shown(answer)
        found = re.search(r'class="older"><a href="([^"]+)"', answer.text)
        path = unescape(found[1]) if found else ""
    assert seen == ["cat", "stranger-2", "stranger-1", "tom", *(f"old-{number:02}" for number in range(60))]
    assert "Back to the newest" in answer.text


def live(answer: Answered) -> str:
    """Where the page asks for what is new."""
    found = re.search(r'data-from="([^"]+)"', answer.text)
    assert found
    return unescape(found[1])


def test_what_is_new_slides_in_above_and_replaces_an_earlier_verdict(house: Served, store: Store) -> None:
    way = live(house.get("/timeline", VIEWER))
    partial = {"HX-Request": "true"}
    assert shown(house.get(way, VIEWER, partial)) == ["cat"], "which may go on"
    store.record(sighting("new", when=NOON + timedelta(days=2, hours=1, seconds=9), supersedes="cat"))
    answer = house.get(way, VIEWER, partial)
    assert shown(answer) == ["new"]
    assert 'data-supersedes="visit-cat"' in answer.text
    assert "<html" not in answer.text
    assert parse_qs(urlsplit(live(answer)).query)["after"][0].endswith("~new")


def test_what_is_new_on_another_day_loads_the_page_again(house: Served, store: Store) -> None:
    way = live(house.get("/timeline", VIEWER))
    store.record(sighting("new", when=NOON + timedelta(days=3)))
    assert house.get(way, VIEWER, {"HX-Request": "true"}).headers["hx-refresh"] == "true"


def test_a_page_without_visits_waits_for_the_first(house: Served) -> None:
    way = live(house.get("/timeline?person=Nobody", VIEWER))
    assert house.get(way, VIEWER, {"HX-Request": "true"}).status == 204
    assert house.get("/timeline/newest?after=", VIEWER).headers["hx-refresh"] == "true"


def test_all_are_marked_as_reviewed_by_one_button_that_a_viewer_has_not(house: Served, store: Store) -> None:
    assert "Mark all" not in house.get("/timeline", VIEWER).text
    page = house.get("/timeline", MEMBER)
    newest = re.search(r'name="newest" value="([^"]+)"', page.text)
    assert newest
    form = {"newest": unescape(newest[1]), "back": "/timeline?verdict=known"}
    assert house.post("/timeline/reviewed", form, VIEWER).status == 403
    answer = house.post("/timeline/reviewed", form, MEMBER)
    assert (answer.status, answer.headers["location"]) == (303, "/timeline?verdict=known")
    assert store.timeline.to_review() == 0
    assert house.post("/timeline/reviewed", {"newest": "x"}, MEMBER).status == 400
    elsewhere = house.post("/timeline/reviewed", form | {"back": "//example.org"}, MEMBER)
    assert elsewhere.headers["location"] == "/timeline"


def test_a_visit_shows_what_is_kept_of_it(house: Served) -> None:
    answer = house.get("/visit/stranger-2", MEMBER)
    words = text(answer)
    for expected in ("Visitor 1, second time", "looks like nobody we know", "like Tom", "Nobody was notified"):
        assert expected in words
    assert answer.text.count('class="picture face"') == 3
    for picture in re.findall(r'src="(/visit/[^"]+)"', answer.text):
        one = house.get(picture, VIEWER)
        assert one.body.startswith(b"\xff\xd8\xff"), picture
        assert one.headers["content-type"] == "image/jpeg"
        assert one.headers["cache-control"] == "no-store"


def test_a_viewer_is_offered_no_correction(house: Served) -> None:
    assert "Is this right?" in house.get("/visit/tom", MEMBER).text
    assert "Is this right?" not in house.get("/visit/tom", VIEWER).text
    for way in ("right", "was-not", "was"):
        assert house.post(f"/visit/tom/{way}", {"name": "Tom"}, VIEWER).status == 403


def test_a_visit_is_marked_as_reviewed_and_back(house: Served, store: Store) -> None:
    assert house.post("/visit/tom/right", {}, MEMBER).headers["location"] == "/visit/tom"
    assert store.timeline.find("tom").reviewed_at is not None
    assert "Reviewed by the household" in house.get("/visit/tom", MEMBER).text
    house.post("/visit/tom/right", {"seen": "no"}, MEMBER)
    assert store.timeline.find("tom").reviewed_at is None


def test_a_wrong_name_is_corrected(house: Served, store: Store) -> None:
    visit(store, "mistaken", 7, verdict=known("Tom"), when=NOON + timedelta(hours=1))
    page = text(house.get("/visit/mistaken", MEMBER))
    assert "3 faces are remembered as a stranger's, not Tom's." in page
    answer = house.post("/visit/mistaken/was-not", {"name": "Tom"}, MEMBER)
    assert (answer.status, answer.headers["location"]) == (303, "/visit/mistaken")
    words = text(house.get("/visit/mistaken", MEMBER))
    assert "Visitor 2, first time" in words
    assert "Corrected: not Tom" in words


def test_a_correction_that_is_refused_says_why_on_the_page_of_the_visit(house: Served) -> None:
    for path, form in (
        ("/visit/tom/was-not", {"name": "Nobody"}),
        ("/visit/tom/was", {"new": "a/b"}),
        ("/visit/tom/was", {}),
    ):
        answer = house.post(path, form, MEMBER)
        assert answer.status == 400
        assert 'role="alert"' in answer.text
        assert "Is this right?" in answer.text


def test_a_visit_without_a_face_says_that_it_cannot_be_corrected(house: Served) -> None:
    words = text(house.get("/visit/cat", MEMBER))
    assert "No face of this visit is kept" in words
    assert "This is …" not in words


@pytest.fixture
def film(house: Served, store: Store, tmp_path: Path) -> str:
    return keep_film(store, NOON, film_pieces(tmp_path))


def test_a_film_plays_as_a_whole_and_in_pieces(house: Served, film: str) -> None:
    assert f'src="/film/{film}.mp4"' in house.get("/visit/tom", VIEWER).text
    whole = house.get(f"/film/{film}.mp4", VIEWER)
    assert (whole.status, whole.headers["content-type"], whole.headers["accept-ranges"]) == (200, "video/mp4", "bytes")
    assert whole.headers["cache-control"] == "no-store"
    assert played(whole.body).seconds == pytest.approx(3.0, abs=0.15)
    size = len(whole.body)
    for asked, first, last in (
        ("bytes=0-1", 0, 1),
        ("bytes=100-", 100, size - 1),
        ("bytes=-50", size - 50, size - 1),
        (f"bytes=10-{10 * size}", 10, size - 1),
    ):
        part = house.get(f"/film/{film}.mp4", VIEWER, {"Range": asked})
        assert (part.status, part.headers["content-range"]) == (206, f"bytes {first}-{last}/{size}")
        assert part.body == whole.body[first : last + 1]
        assert part.headers["content-length"] == str(len(part.body))


@pytest.mark.parametrize("asked", ["bytes=999999999-", "bytes=5-4", "bytes=-0"])
def test_a_piece_that_is_not_there_is_refused(house: Served, film: str, asked: str) -> None:
    answer = house.get(f"/film/{film}.mp4", VIEWER, {"Range": asked})
    assert answer.status == 416
    assert answer.headers["content-range"].startswith("bytes */")


def test_a_film_that_broke_off_says_so_and_plays_as_far_as_it_goes(house: Served, store: Store, tmp_path: Path) -> None:
    film = keep_film(store, NOON, film_pieces(tmp_path)[:-1], whole=False)
    assert "This film broke off" in house.get("/visit/tom", VIEWER).text
    assert played(house.get(f"/film/{film}.mp4", VIEWER).body).seconds > 0


@pytest.mark.parametrize(
    ("header", "part"),
    [
        (None, Wanted(0, 99)),
        ("bytes=0-0", Wanted(0, 0)),
        ("bytes=0-1,5-6", Wanted(0, 99)),
        ("bytes=-", Wanted(0, 99)),
        ("lines=1-2", Wanted(0, 99)),
        ("bytes=-200", Wanted(0, 99)),
        ("bytes=99-", Wanted(99, 99)),
        ("bytes=100-", None),
    ],
)
def test_what_players_ask_for_is_understood(header: str | None, part: Wanted | None) -> None:
    assert wanted(header, 100) == part


def with_doors(house: Served, name: str | None = None, **more: Any) -> None:
    assert house.parts is not None
    kind, when = VerdictKind.KNOWN if name else VerdictKind.STRANGER, NOON + timedelta(days=30)
    visit = DoorVisit("d" * 32, "b" * 32, "garage", kind, name, "yard", when, when + timedelta(seconds=9), **more)
    house.parts.commands.elsewhere.append(lambda: [visit])


def test_a_visit_at_another_door_is_marked_with_its_name(house: Served) -> None:
    with_doors(house)
    answer = house.get("/timeline", VIEWER)
    assert shown(answer) == ["d" * 32, "cat", "stranger-2", "stranger-1", "tom"]
    assert f'class="visit elsewhere" id="visit-{"d" * 32}"' in answer.text
    assert "garage, yard" in text(answer)
    assert shown(house.get("/timeline?door=here", VIEWER)) == ["cat", "stranger-2", "stranger-1", "tom"]
    assert shown(house.get(f"/timeline?door={'b' * 32}", VIEWER)) == ["d" * 32]
    visit = text(house.get(f"/elsewhere/{'d' * 32}", VIEWER))
    assert "A stranger" in visit
    assert "The door garage has no picture of it" in visit
    assert house.get("/elsewhere/nobody", VIEWER).status == 404


class Pictures:
    """What fetches pictures of other doors; ``found`` is what has come of it."""

    def __init__(self, found: PictureState) -> None:
        self.found, self.asked = found, list[str]()

    def state(self, visit: DoorVisit) -> PictureState:
        return self.found if visit.picture else PictureState.NONE

    def ask(self, visit: DoorVisit) -> PictureState:
        self.asked.append(visit.identifier)
        self.found = PictureState.ASKED
        return self.found

    def picture(self, visit: DoorVisit) -> bytes | None:
        return b"\xff\xd8\xff" if self.found is PictureState.HERE and visit.picture else None


def test_a_picture_at_another_door_is_fetched_when_somebody_presses_the_button(house: Served) -> None:
    with_doors(house, picture=True)
    assert house.parts is not None
    pictures, path = Pictures(PictureState.POSSIBLE), f"/elsewhere/{'d' * 32}"
    house.parts.commands.pictures.append(pictures)
    assert "Show the picture" in text(house.get(path, VIEWER))
    assert house.get(f"{path}/picture.jpg", VIEWER).status == 404
    assert house.post(f"{path}/picture", {}, Role.KIOSK).status == 403
    assert pictures.asked == []
    assert house.post(f"{path}/picture", {}, VIEWER).headers["location"] == path
    assert house.post("/elsewhere/nobody/picture", {}, VIEWER).status == 404
    assert pictures.asked == ["d" * 32]
    entries = audit.verify(house.parts.state_dir).entries
    asked = [entry for entry in entries if entry.action == "picture-asked"]
    assert [[one.shown for one in entry.subjects] for entry in asked] == [["garage"]]
    waiting = house.get(path, VIEWER)
    assert 'hx-trigger="every 1s"' in waiting.text
    pictures.found = PictureState.HERE
    part = house.get(f"{path}/picture", VIEWER)
    assert f'src="{path}/picture.jpg"' in part.text
    assert "every 1s" not in part.text
    picture = house.get(f"{path}/picture.jpg", VIEWER)
    assert (picture.status, picture.headers["content-type"]) == (200, "image/jpeg")
    assert house.get(f"{path}/picture.jpg", Role.KIOSK).status == 403


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (PictureState.AWAY, "is not online now"),
        (PictureState.REFUSED, "no picture of it any more"),
        (PictureState.UNANSWERED, "has not answered"),
        (PictureState.FORBIDDEN, "has not the right view"),
    ],
)
def test_why_a_picture_at_another_door_cannot_be_shown_is_said(house: Served, state: PictureState, said: str) -> None:
    with_doors(house, picture=True)
    assert house.parts is not None
    house.parts.commands.pictures.append(Pictures(state))
    page = text(house.get(f"/elsewhere/{'d' * 32}", VIEWER))
    assert said in page
    again = state in (PictureState.REFUSED, PictureState.UNANSWERED)
    assert ("Show the picture" in page) == again


def test_what_another_door_says_is_shown_as_text(house: Served) -> None:
    with_doors(house, "<b>Anna</b>", doubtful=True)
    for path in ("/timeline", f"/elsewhere/{'d' * 32}"):
        answer = house.get(path, VIEWER)
        assert "<b>Anna" not in answer.text
        assert "<b>Anna</b>, or a picture" in unescape(answer.text)


def test_it_is_all_there_in_french(house: Served) -> None:
    french = {"Accept-Language": "fr-FR"}
    assert "Visiteur 1, deuxième fois" in text(house.get("/timeline", VIEWER, french))
    assert "Est-ce exact ?" in text(house.get("/visit/tom", MEMBER, french))
