"""Who is this?, People and Enrol as a browser without JavaScript uses them: real pages before a daemon's real verbs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from facesecure.camera.synthetic.clip import enrolment_images
from facesecure.config import FacesecureConfig
from facesecure.domain import Image, SeenFace
from facesecure.domain.accounts import Role
from facesecure.domain.doors import PersonDoor, PersonDoors
from facesecure.domain.errors import UsageError
from facesecure.domain.records import EnrolledFace
from facesecure.services import audit
from facesecure.services.model_stack import ModelStack
from facesecure.services.people import read_export
from facesecure.storage.shared_visitors import Arrival
from support.bombs.pictures import heic
from support.builders import frame_at
from support.faces import empty_scene
from support.page.forms import begin, field_part, file_part, form, jpeg, upload
from support.page.served import Served, served_house
from support.page_cameras import served_cameras
from support.page_people import came, kept_of_grace, two_people

JPEG = "image/jpeg"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> ModelStack:
    return ModelStack.load(FacesecureConfig(), tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def grace(models: ModelStack) -> list[SeenFace]:
    return kept_of_grace(models)


@pytest.fixture(scope="module")
def images() -> list[Image]:
    return enrolment_images(10)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Served]:
    with served_house(tmp_path / "state") as served:
        yield served


def stranger(house: Served, models: ModelStack, identifier: str, faces: list[SeenFace]) -> int:
    assert house.parts is not None
    return came(house.parts, models, identifier, faces)


def enrol(house: Served, faces: list[SeenFace], name: str = "Grace") -> None:
    assert house.parts is not None
    house.parts.store.add_person(
        name, [EnrolledFace(f.face.image, f.embedding, f.model_sha256, f.face.quality, "p.jpg") for f in faces]
    )


def people(house: Served) -> dict[str, int]:
    assert house.parts is not None
    return {person.name: person.faces for person in house.parts.store.people()}


def words(text: str) -> str:
    """What a page says, without its markup."""
    main = re.search(r"<main.*</main>", text, re.DOTALL)
    assert main
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", main[0])).split())


def test_a_visitor_is_seen_previewed_and_named(house: Served, models: ModelStack, grace: list[SeenFace]) -> None:
    poor = replace(grace[4], face=replace(grace[4].face, quality=replace(grace[4].face.quality, sharpness=0.01)))
    number = stranger(house, models, "a", [*grace[:4], poor])
    assert f'href="/who/{number}"' in house.get("/who", Role.MEMBER).text
    shown = house.get(f"/who/{number}", Role.MEMBER).text
    assert shown.count('class="poor"') == 1
    assert "Blurred" in words(shown)
    pictures = set(re.findall(rf"/who/{number}/face/\d+\.jpg", shown))
    assert len(pictures) == 5
    for path in (*pictures, f"/who/{number}/portrait.jpg"):
        assert house.get(path, Role.MEMBER).headers["content-type"] == JPEG
    preview = words(house.get(f"/who/{number}/preview?name=Grace", Role.MEMBER).text)
    assert "Grace is new. 4 pictures would be learnt." in preview
    assert people(house) == {}
    saved = house.post(f"/who/{number}/name", {"name": "Grace"}, Role.MEMBER)
    assert (saved.status, saved.headers["location"]) == (303, "/people/Grace")
    assert people(house) == {"Grace": 4}
    assert "This visitor was named Grace." in words(house.get(f"/who/{number}", Role.MEMBER).text)


def test_a_visitor_s_page_and_visits_say_at_which_other_doors_they_were(
    house: Served, models: ModelStack, grace: list[SeenFace]
) -> None:
    number = stranger(house, models, "a", grace)
    assert house.parts is not None
    shared = house.parts.store.shared_visitors
    (here,) = shared.own(models.embedder.sha256, 9, 9)
    there = replace(here, visits=3)
    shared.take([Arrival("d" * 32, "<gate>", here.uid[:3], models.embedder.sha256, (there,))], models.match_visitor)
    for page in (f"/who/{number}", "/visit/a"):
        assert "Also seen at other doors: <gate> (3 visits, last" in words(house.get(page, Role.MEMBER).text), page
    assert "<gate>" not in words(house.get("/visit/a", Role.VIEWER).text)


def test_a_name_that_cannot_be_is_refused_at_its_field(
    house: Served, models: ModelStack, grace: list[SeenFace]
) -> None:
    number = stranger(house, models, "a", grace[:1])
    wrong = house.get(f"/who/{number}/preview?name=a/b", Role.MEMBER)
    assert wrong.status == 400
    assert 'aria-invalid="true"' in wrong.text
    assert "has a slash" in words(wrong.text)
    few = words(house.get(f"/who/{number}/preview?name=Grace", Role.MEMBER).text)
    assert "1 good of the 3 that are needed" in few
    assert "Add with photos" in few
    again = house.post(f"/who/{number}/name", {"name": "Grace"}, Role.MEMBER)
    assert again.headers["location"] == f"/who/{number}/preview?name=Grace"
    assert people(house) == {}


def test_likely_names_are_offered_in_words(house: Served, models: ModelStack, grace: list[SeenFace]) -> None:
    enrol(house, grace[4:], "Grâce & <b>")
    number = stranger(house, models, "a", grace[:4])
    shown = house.get(f"/who/{number}", Role.MEMBER, {"Accept-Language": "fr"}).text
    assert "Très ressemblant à Grâce & <b>" in words(shown)
    assert "<b>" not in shown
    assert 'value="Grâce &amp; &lt;b&gt;"' in shown


def test_visitors_are_merged_and_forgotten(house: Served, models: ModelStack, grace: list[SeenFace]) -> None:
    one = stranger(house, models, "a", grace[:4])
    other = stranger(house, models, "b", [replace(face, embedding=-face.embedding) for face in grace[4:]])
    assert house.post(f"/who/{one}/merge", {"other": "x"}, Role.MEMBER).status == 303
    merged = house.post(f"/who/{one}/merge", {"other": str(other)}, Role.MEMBER)
    assert merged.headers["location"] == f"/who/{one}"
    assert "2 visits" in words(house.get(f"/who/{one}", Role.MEMBER).text)
    assert house.get(f"/who/{other}", Role.MEMBER).status == 404
    assert house.post(f"/who/{one}/forget", {}, Role.MEMBER).headers["location"] == "/who"
    assert "Nobody to name" in words(house.get("/who", Role.MEMBER).text)


@pytest.mark.parametrize("name", ["Éloïse", "A&B <b>", "50% #1?", "..x", 'O\'Neil "Q"'])
def test_people_of_any_name_have_a_page(house: Served, grace: list[SeenFace], name: str) -> None:
    enrol(house, grace[:4], name)
    listed = house.get("/people", Role.MEMBER).text
    (path,) = set(re.findall(r'href="(/people/[^"/]+)"', listed))
    assert name in words(listed)
    shown = house.get(unescape(path), Role.MEMBER)
    assert shown.status == 200
    assert f"<h1>{name}" not in shown.text or "<" not in name
    for picture in set(re.findall(r'src="(/people/[^"]+\.jpg)"', shown.text)):
        assert house.get(unescape(picture), Role.MEMBER).headers["content-type"] == JPEG
    renamed = house.post(f"{unescape(path)}/rename", {"new": "Anna"}, Role.MEMBER)
    assert renamed.headers["location"] == "/people/Anna"
    assert people(house) == {"Anna": 4}


def test_a_viewer_sees_names_and_one_face_and_no_more(house: Served, grace: list[SeenFace]) -> None:
    enrol(house, grace[:4])
    listed = house.get("/people", Role.VIEWER).text
    assert "Grace" in listed
    assert 'href="/people/Grace"' not in listed
    assert house.get("/people/Grace/portrait.jpg", Role.VIEWER).status == 200
    for path in ("/people/Grace", "/people/Grace/face/1.jpg", "/who", "/people-export", "/people/Grace/remove"):
        assert house.get(path, Role.VIEWER).status == 403, path
    assert house.get("/people", Role.KIOSK).status == 403
    assert house.get("/people").status == 303


def test_an_error_without_a_translation_has_a_heading_in_the_reader_s_language(house: Served) -> None:
    said = "no person called 'Nobody' is enrolled"
    assert said in words(house.get("/people/Nobody", Role.MEMBER).text)
    french = house.get("/people/Nobody", Role.MEMBER, {"Accept-Language": "fr"}).text
    assert "<h1>Il n’y a rien ici</h1>" in french
    assert re.search(r'<p [^>]*lang="en">no person called', french), "what was said stands below"


def test_one_face_is_removed_but_not_the_last(house: Served, grace: list[SeenFace]) -> None:
    enrol(house, grace[:2])
    assert house.parts is not None
    first, last = house.parts.store.face_numbers("Grace")
    assert "Remove this picture" in words(house.get(f"/people/Grace/face/{first}", Role.MEMBER).text)
    assert house.post(f"/people/Grace/face/{first}/remove", {}, Role.MEMBER).headers["location"] == "/people/Grace"
    assert "cannot be removed alone" in words(house.get(f"/people/Grace/face/{last}", Role.MEMBER).text)
    assert house.post(f"/people/Grace/face/{last}/remove", {}, Role.MEMBER).status == 400
    assert people(house) == {"Grace": 1}


def test_removing_a_person_says_what_remains_and_asks_for_the_password(
    house: Served, models: ModelStack, grace: list[SeenFace]
) -> None:
    number = stranger(house, models, "a", grace[:4])
    house.post(f"/who/{number}/name", {"name": "Grace"}, Role.MEMBER)
    away = house.ask("GET", "/people/Grace/remove", Role.OWNER, confirmed=False)
    assert (away.status, away.headers["location"].partition("?")[0]) == (303, "/confirm")
    said = words(house.get("/people/Grace/remove", Role.OWNER).text)
    assert "One visit stays in the timeline, as somebody forgotten" in said
    assert house.post("/people/Grace/remove", {}, Role.OWNER).headers["location"] == "/people"
    assert people(house) == {}


def test_people_are_exported_under_a_passphrase_that_is_typed_twice(
    house: Served, grace: list[SeenFace], tmp_path: Path
) -> None:
    enrol(house, grace[:4])
    for given, said in (
        ({"passphrase": "four random words", "again": "other", "person": "Grace"}, "This is not the same."),
        ({"passphrase": "short", "again": "short", "person": "Grace"}, "It needs at least 8 characters."),
        ({"passphrase": "four random words", "again": "four random words"}, "Tick somebody."),
    ):
        refused = house.post("/people-export", given, Role.OWNER)
        assert refused.status == 400
        assert said in words(refused.text)
        assert "random words&#" not in refused.text
    given = {"passphrase": "four random words", "again": "four random words", "person": "Grace"}
    sent = house.post("/people-export", given, Role.OWNER)
    assert sent.headers["content-disposition"].startswith('attachment; filename="people-')
    assert int(sent.headers["content-length"]) == len(sent.body)
    (tmp_path / "family.faces").write_bytes(sent.body)
    (person,) = read_export(tmp_path / "family.faces", lambda: "four random words")
    assert (person.name, len(person.faces)) == ("Grace", 4)


def test_somebody_is_enrolled_without_javascript(house: Served, images: list[Image]) -> None:
    assert house.get("/enrol", Role.VIEWER).status == 403
    refused = house.post("/enrol", {"name": "Grace"}, Role.MEMBER)
    assert (refused.status, "Without consent nobody is added." in words(refused.text)) == (400, True)
    draft = begin(house)
    photos = [file_part(jpeg(image), f"{number}.jpg") for number, image in enumerate(images)]
    empty = file_part(b"", "", field="camera", kind="application/octet-stream")
    porch = file_part(jpeg(empty_scene()), "porch.jpg")
    sent = upload(house, draft, form([empty, porch, field_part("other", b"x"), *photos]))
    assert (sent.status, sent.headers["location"]) == (303, draft)
    shown = house.get(draft, Role.MEMBER).text
    assert "No face found" in words(shown)
    assert "Save Grace" in words(shown)
    assert shown.count('id="picture-') == len(photos) + 1
    assert house.get(f"{draft}/pictures/1.jpg", Role.MEMBER).headers["content-type"] == JPEG
    assert people(house) == {}
    saved = house.post(f"{draft}/save", {}, Role.MEMBER)
    assert saved.headers["location"] == "/people/Grace"
    assert people(house)["Grace"] >= 3
    assert house.get(draft, Role.MEMBER).status == 404


def test_the_face_that_is_meant_is_tapped_and_a_picture_is_taken_back(house: Served) -> None:
    draft = begin(house, "Eileen")
    upload(house, draft, form([file_part(jpeg(two_people()))]))
    shown = house.get(draft, Role.MEMBER).text
    assert shown.count('class="box"') == 2
    assert "Tap the one that is meant." in words(shown)
    chosen = house.post(f"{draft}/pictures/1", {"face": "2"}, Role.MEMBER)
    assert chosen.headers["location"] == draft
    shown = house.get(draft, Role.MEMBER).text
    assert "1 good of the 3" in words(shown)
    assert 'class="shot taken"' in shown
    assert house.post(f"{draft}/save", {}, Role.MEMBER).headers["location"] == draft
    house.post(f"{draft}/pictures/1", {"do": "drop"}, Role.MEMBER)
    assert "0 good of the 3" in words(house.get(draft, Role.MEMBER).text)
    house.post(f"{draft}/cancel", {}, Role.MEMBER)
    assert people(house) == {}


def test_a_script_gets_the_part_that_changed(house: Served) -> None:
    draft = begin(house, "Eileen")
    answer = upload(house, draft, form([file_part(jpeg(two_people()))]), headers={"HX-Request": "true"})
    assert answer.status == 200
    assert "<html" not in answer.text
    assert 'class="box"' in answer.text


def test_somebody_is_enrolled_before_a_camera_of_the_house(tmp_path: Path, images: list[Image]) -> None:
    with served_cameras(tmp_path, "front door", "gate") as house:
        assert house.parts is not None
        draft, door = begin(house), house.parts.cameras[0]
        assert f'href="{draft}/camera/front-door"' in house.get(draft, Role.MEMBER).text
        way = f"{draft}/camera/front-door"
        assert house.post(way, {}, Role.MEMBER).status == 404  # there is no image yet
        for number, image in enumerate(images):
            door.view.look(frame_at(number, image=image), ())
            shown = house.get(way, Role.MEMBER).text
            assert 'src="/live/front-door.jpg?width=640"' in shown
            assert "gate" not in words(shown)
            assert house.post(way, {}, Role.MEMBER).headers["location"] == way
        assert people(house) == {}
        assert "front door" in house.get(draft, Role.MEMBER).text
        part = house.ask("POST", way, Role.MEMBER, {"HX-Request": "true"}, b"")
        assert part.status == 200
        assert "<html" not in part.text
        assert house.post(f"{draft}/save", {}, Role.MEMBER).headers["location"] == "/people/Grace"
        assert people(house)["Grace"] >= 3


def test_a_camera_takes_pictures_for_members_only_and_of_now_only(
    tmp_path: Path, images: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    with served_cameras(tmp_path, "front door") as house:
        assert house.parts is not None
        draft = begin(house)
        house.parts.cameras[0].view.look(frame_at(0, image=images[0]), ())
        way = f"{draft}/camera/front-door"
        for role in (Role.KIOSK, Role.VIEWER):
            assert house.post(way, {}, role).status == 403
            assert house.get(way, role).status == 403
        assert house.post(way, {}, Role.OWNER).status == 404  # another's enrolment
        for wrong in ("cellar", "..%2f..", "%00", "x" * 500):
            assert house.get(f"{draft}/camera/{wrong}", Role.MEMBER).status == 404
            assert house.post(f"{draft}/camera/{wrong}", {}, Role.MEMBER).status == 404
        assert house.ask("POST", way, Role.MEMBER, {"Origin": "https://evil.example"}, b"").status == 403
        monkeypatch.setattr("facesecure.app.web_api.verbs.enrolment._OLDEST", 0.0)
        refused = house.post(way, {}, Role.MEMBER)
        assert refused.status == 404
        assert "no image from the front door now" in refused.text
        assert 'id="picture-' not in house.get(draft, Role.MEMBER).text


def test_a_heic_of_a_phone_is_read_or_says_what_helps(house: Served) -> None:
    draft = begin(house)
    upload(house, draft, form([file_part(heic((160, 120)), "IMG_1.HEIC", kind="image/heic")]))
    said = words(house.get(draft, Role.MEMBER).text)
    assert "No face found" in said or "This kind of picture cannot be read here Save it as JPEG." in said


class Estate:
    """Two other doors, of which one is of another household."""

    def __init__(self, fixed: str = "") -> None:
        self.fixed, self.chosen = fixed, list[Sequence[str] | None]()

    def doors_of(self, uid: str) -> PersonDoors:
        assert uid
        doors = (PersonDoor("a" * 32, "garage", True, True), PersonDoor("b" * 32, "<b>flat</b>", False, False))
        return PersonDoors(True, doors, self.fixed)

    def assign(self, uid: str, doors: Sequence[str] | None) -> None:
        assert uid
        if doors == ["c" * 32]:
            raise UsageError("there is no door 'c'")
        self.chosen.append(doors)


def test_an_owner_says_which_doors_know_a_person(house: Served, grace: list[SeenFace]) -> None:
    enrol(house, grace[:2])
    assert house.parts is not None
    assert 'id="doors"' not in house.get("/people/Grace", Role.OWNER).text
    estate = Estate()
    house.parts.commands.assigners.append(estate)
    page = house.get("/people/Grace", Role.OWNER).text
    assert 'name="which" value="all" checked' in page
    assert "<b>flat" not in page
    assert "another household" in page
    shown = house.get("/people/Grace", Role.MEMBER).text
    assert "garage" in shown
    assert 'name="which"' not in shown
    assert house.post("/people/Grace/doors", {"which": "all"}, Role.OWNER).status == 303
    assert house.post("/people/Grace/doors", {"which": "some", "door": "a" * 32}, Role.OWNER).status == 303
    assert house.post("/people/Grace/doors", {"which": "some"}, Role.OWNER).status == 303
    assert [None if one is None else list(one) for one in estate.chosen] == [None, ["a" * 32], []]
    refused = house.post("/people/Grace/doors", {"which": "some", "door": "nothing"}, Role.OWNER)
    assert refused.status == 400
    assert house.post("/people/Nobody/doors", {"which": "all"}, Role.OWNER).status == 404
    assert house.post("/people/Grace/doors", {"which": "all"}, Role.MEMBER).status == 403
    assert len(estate.chosen) == 3
    entries = audit.verify(house.parts.state_dir).entries
    assert [entry.action for entry in entries].count("person-assigned") == 3


def test_a_door_that_may_not_assign_says_why(house: Served, grace: list[SeenFace]) -> None:
    enrol(house, grace[:2])
    assert house.parts is not None
    house.parts.commands.assigners.append(Estate("this door may not change who is known where"))
    page = house.get("/people/Grace", Role.OWNER).text
    assert "this door may not change who is known where" in page
    assert 'name="which"' not in page
