"""The verbs of Who is this?, People and Enrol, on a real store and the bundled models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facesecure.app.web_api.protocol import Refusal
from facesecure.app.web_api.verb import Refused
from facesecure.app.web_api.verbs import enrolment, people, visitors
from facesecure.camera.synthetic.clip import enrolment_images
from facesecure.config import FacesecureConfig
from facesecure.domain import Image, SeenFace
from facesecure.domain.accounts import Role
from facesecure.domain.errors import BusyError, UsageError
from facesecure.domain.records import EnrolledFace
from facesecure.services import audit
from facesecure.services.enrolment_draft import EnrolmentDraft
from facesecure.services.model_stack import ModelStack
from facesecure.services.open_drafts import Drafts
from facesecure.services.people import read_export
from support.faces import empty_scene
from support.page_people import Page, came, kept_of_grace, two_people
from support.page_socket import page_parts

JPEG = b"\xff\xd8"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> ModelStack:
    return ModelStack.load(FacesecureConfig(), tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def grace(models: ModelStack) -> list[SeenFace]:
    return kept_of_grace(models)


@pytest.fixture(scope="module")
def images() -> list[Image]:
    return enrolment_images(16)


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    with page_parts(tmp_path / "state") as parts:
        yield Page(parts)


def enrol(page: Page, faces: list[SeenFace], name: str = "Grace") -> None:
    page.parts.store.add_person(
        name, [EnrolledFace(f.face.image, f.embedding, f.model_sha256, f.face.quality, "p.jpg") for f in faces]
    )


def refusal(page: Page, verb: str, arguments: dict[str, object], **more: object) -> Refused:
    with pytest.raises(Refused) as caught:
        page.ask(verb, arguments, **more)  # type: ignore[arg-type]
    return caught.value


def fill(page: Page, draft: str, images: list[Image], wanted: int = 3) -> dict[str, object]:
    for number, image in enumerate(images):
        answer = page.send(draft, image, f"{number}.jpg")
        if answer["good"] >= wanted:
            return dict(answer)
    raise AssertionError("not enough of them are good")


@pytest.mark.parametrize("verb", [*visitors.VERBS, *people.VERBS, *enrolment.VERBS], ids=lambda verb: verb.name)
def test_a_kiosk_asks_none_of_it_and_a_viewer_sees_names_and_one_face(page: Page, verb: object) -> None:
    assert verb.least is not None  # type: ignore[attr-defined]
    least = {"people": Role.VIEWER, "person-portrait": Role.VIEWER, "visitor-portrait": Role.VIEWER}
    owners = {"person-assign", "person-remains", "person-remove", "people-exportable", "people-export"}
    name = verb.name  # type: ignore[attr-defined]
    assert verb.least is least.get(name, Role.OWNER if name in owners else Role.MEMBER)  # type: ignore[attr-defined]
    assert verb.confirmed is (name in {*owners, "visitor-forget", "person-face-remove"})  # type: ignore[attr-defined]


def test_no_answer_holds_an_embedding_or_a_path(page: Page, models: ModelStack, grace: list[SeenFace]) -> None:
    number = came(page.parts, models, "a", grace[:4])
    enrol(page, grace[4:])
    answers = [
        page.ask("visitors"), page.ask("visitor", {"visitor": number}), page.ask("people"),
        page.ask("person", {"name": "Grace"}), page.ask("visitor-preview", {"visitor": number, "name": "Tom"}),
    ]  # fmt: skip
    for answer in answers:
        text = json.dumps(answer.result)
        assert str(page.parts.state_dir) not in text
        assert "embedding" not in text
        assert "sha256" not in text


def test_a_visitor_is_shown_previewed_and_named(page: Page, models: ModelStack, grace: list[SeenFace]) -> None:
    poor = replace(grace[4], face=replace(grace[4].face, quality=replace(grace[4].face.quality, sharpness=0.01)))
    number = came(page.parts, models, "a", [*grace[:4], poor])
    (listed,) = page.ask("visitors").result["visitors"]
    assert (listed["id"], len(listed["seen"]), listed["likeliest"]) == (number, 5, [])
    assert [face["code"] for face in listed["seen"]] == ["good"] * 4 + ["blurred"]
    first = listed["seen"][0]["face"]
    assert page.ask("visitor-face", {"visitor": number, "face": first}).body.startswith(JPEG)
    assert page.ask("visitor-portrait", {"visitor": number}, role=Role.VIEWER).body.startswith(JPEG)
    shown = page.ask("visitor-preview", {"visitor": number, "name": "Grace"}).result
    assert (shown["problem"], shown["enrolled"], shown["proposed"]) == ("good", False, "Grace")
    assert [one["code"] for one in shown["verdicts"]].count("blurred") == 1
    assert page.parts.store.people() == []
    named = page.ask("visitor-name", {"visitor": number, "name": "Grace"}).result
    assert named == {"name": "Grace", "added": 4}
    assert page.ask("visitors").result["visitors"] == []


def test_what_cannot_be_named_is_refused_with_the_reason(page: Page, models: ModelStack, grace: list[SeenFace]) -> None:
    number = came(page.parts, models, "a", grace[:1])
    assert page.ask("visitor-preview", {"visitor": number, "name": "Grace"}).result["problem"] == "too-few"
    assert refusal(page, "visitor-name", {"visitor": number, "name": "Grace"}).kind is Refusal.FAILED
    wrong = refusal(page, "visitor-preview", {"visitor": number, "name": "a/b"})
    assert (wrong.kind, wrong.argument) == (Refusal.INVALID, "name")
    assert refusal(page, "visitor-preview", {"visitor": 77, "name": "Grace"}).kind is Refusal.MISSING
    assert refusal(page, "visitor-face", {"visitor": number, "face": 10_000}).kind is Refusal.MISSING
    assert refusal(page, "visitor", {"visitor": True}).kind is Refusal.INVALID
    assert page.parts.store.people() == []


def test_visitors_are_merged_and_forgotten(page: Page, models: ModelStack, grace: list[SeenFace]) -> None:
    one = came(page.parts, models, "a", grace[:4])
    other = came(page.parts, models, "b", [replace(face, embedding=-face.embedding) for face in grace[4:]])
    assert [each["id"] for each in page.ask("visitor", {"visitor": one}).result["others"]] == [other]
    assert page.ask("visitors-merge", {"visitor": one, "other": other}).result["visits"] == 2
    assert refusal(page, "visitors-merge", {"visitor": one, "other": other}).kind is Refusal.MISSING
    assert refusal(page, "visitor-forget", {"visitor": one}, confirmed=False).kind is Refusal.CONFIRM
    assert page.ask("visitor-forget", {"visitor": one}).result["faces"] == 8
    assert refusal(page, "visitor", {"visitor": one}).kind is Refusal.MISSING
    assert len(page.parts.store.sightings()) == 2


def test_people_are_listed_shown_and_renamed(page: Page, grace: list[SeenFace]) -> None:
    enrol(page, grace[:4])
    (person,) = page.ask("people", role=Role.VIEWER).result["people"]
    assert (person["name"], person["faces"], person["sureness"], person["lookalikes"]) == ("Grace", 4, "well", [])
    shown = page.ask("person", {"name": "grace"}).result
    face = shown["enrolled"][0]["face"]
    assert page.ask("person-face", {"name": "Grace", "face": face}).body.startswith(JPEG)
    assert page.ask("person-portrait", {"name": "Grace"}, role=Role.VIEWER).body.startswith(JPEG)
    assert refusal(page, "person", {"name": "Grace"}, role=Role.VIEWER).kind is Refusal.FORBIDDEN
    assert page.ask("person-rename", {"name": "Grace", "new": "Amazing Grace"}).result["name"] == "Amazing Grace"
    assert refusal(page, "person-rename", {"name": "Grace", "new": "Tom"}).kind is Refusal.MISSING
    assert refusal(page, "person-rename", {"name": "Amazing Grace", "new": "a/b"}).argument == "new"


def test_single_faces_are_removed_but_not_the_last(page: Page, grace: list[SeenFace]) -> None:
    enrol(page, grace[:2])
    first, last = (one["face"] for one in page.ask("person", {"name": "Grace"}).result["enrolled"])
    unconfirmed = refusal(page, "person-face-remove", {"name": "Grace", "face": first}, confirmed=False)
    assert unconfirmed.kind is Refusal.CONFIRM
    page.ask("person-face-remove", {"name": "Grace", "face": first})
    refused = refusal(page, "person-face-remove", {"name": "Grace", "face": last})
    assert (refused.kind, refused.argument) == (Refusal.INVALID, "face")
    assert page.parts.store.face_numbers("Grace") == [last]


def test_removing_a_person_says_what_remains_and_needs_the_password(page: Page, grace: list[SeenFace]) -> None:
    enrol(page, grace[:4])
    unconfirmed = refusal(page, "person-remove", {"name": "Grace"}, role=Role.OWNER, confirmed=False)
    assert unconfirmed.kind is Refusal.CONFIRM
    assert refusal(page, "person-remove", {"name": "Grace"}).kind is Refusal.FORBIDDEN
    remains = page.ask("person-remains", {"name": "Grace"}, role=Role.OWNER).result
    assert remains == {"name": "Grace", "faces": 4, "visits": 0}
    page.ask("person-remove", {"name": "Grace"}, role=Role.OWNER)
    assert page.parts.store.people() == []


def test_an_export_is_the_encrypted_file_that_can_be_imported(
    page: Page, grace: list[SeenFace], tmp_path: Path
) -> None:
    enrol(page, grace[:4])
    assert refusal(page, "people-export", {"passphrase": "short"}, role=Role.OWNER).argument == "passphrase"
    answer = page.ask("people-export", {"passphrase": "four random words"}, role=Role.OWNER)
    file = tmp_path / "family.faces"
    file.write_bytes(answer.body)
    (person,) = read_export(file, lambda: "four random words")
    assert (person.name, len(person.faces)) == ("Grace", 4)


def test_somebody_is_enrolled_picture_by_picture(page: Page, images: list[Image]) -> None:
    draft = page.begin()
    nothing = page.send(draft, empty_scene(), "C:\\fakepath\\..\\/etc/passwd\n")
    assert (nothing["pictures"][0]["code"], nothing["problem"], nothing["good"]) == ("no-face", "too-few", 0)
    assert nothing["pictures"][0]["source"] == "picture 1, passwd"
    done = fill(page, draft, images)
    assert (done["problem"], done["good"], done["needed"]) == ("good", 3, 3)
    assert page.parts.store.people() == []
    assert page.ask("enrol-view", {"draft": draft, "picture": 1}).body.startswith(JPEG)
    saved = page.ask("enrol-save", {"draft": draft}).result
    assert saved == {"name": "Grace", "added": 3, "faces": 3}
    entry = audit.verify(page.parts.state_dir).entries[-1]
    assert [one.shown for one in entry.subjects] == ["Grace", "consent was confirmed"]
    assert refusal(page, "enrol-draft", {"draft": draft}).kind is Refusal.MISSING


def test_the_face_that_is_meant_is_chosen(page: Page) -> None:
    draft = page.begin("Eileen")
    sent = page.send(draft, two_people())
    assert sent["pictures"][0]["code"] == "several"
    assert len(sent["pictures"][0]["choices"]) == 2
    chosen = page.ask("enrol-choose", {"draft": draft, "picture": 1, "face": 2}).result
    assert (chosen["good"], chosen["pictures"][0]["code"], chosen["few"]) == (1, "good", True)
    assert refusal(page, "enrol-choose", {"draft": draft, "picture": 1, "face": 2}).kind is Refusal.MISSING
    assert page.ask("enrol-drop", {"draft": draft, "picture": 1}).result["pictures"] == []


def test_a_second_name_for_somebody_is_refused_and_says_whose_face_it_is(
    page: Page, images: list[Image], grace: list[SeenFace]
) -> None:
    enrol(page, grace)
    draft = page.begin("Tom")
    standing = {}
    for number, image in enumerate(images[:6]):
        standing = dict(page.send(draft, image, f"{number}.jpg"))
    assert (standing["problem"], standing["lookalikes"]) == ("enrolled-as", [{"name": "Grace", "likeness": "very"}])
    refused = refusal(page, "enrol-save", {"draft": draft})
    assert (refused.kind, refused.argument) == (Refusal.INVALID, "draft")
    page.ask("enrol-cancel", {"draft": draft})
    assert refusal(page, "enrol-save", {"draft": draft}).kind is Refusal.MISSING


def test_nobody_is_enrolled_without_consent(page: Page) -> None:
    for consent in (False, None, "true"):
        assert refusal(page, "enrol-begin", {"name": "Tom", "consent": consent}).argument == "consent"
    assert refusal(page, "enrol-begin", {"name": "a/b", "consent": True}).argument == "name"


def test_drafts_are_few_and_end_by_themselves(models: ModelStack, page: Page) -> None:
    now = [0.0]
    drafts = Drafts(most=2, seconds=60, clock=lambda: now[0])

    def draft() -> EnrolmentDraft:
        return EnrolmentDraft(models, page.parts.store, "Grace")

    first = drafts.add("one", draft())
    now[0] = 10
    second = drafts.add("one", draft())
    with pytest.raises(BusyError):
        drafts.add("two", draft())
    third = drafts.add("one", draft())  # in place of the oldest of its own
    with pytest.raises(UsageError):
        drafts.find("one", first)
    with pytest.raises(UsageError):
        drafts.find("two", second)
    drafts.close("two", third)
    assert len(drafts) == 2
    now[0] = 69
    assert drafts.find("one", second).name == "Grace"
    now[0] = 75
    assert len(drafts) == 1


def test_pixels_must_be_as_many_as_the_size_says(page: Page) -> None:
    draft = page.begin()
    for width, height, size in ((20, 20, 1199), (20, 20, 1201), (20, 20, 0), (1600, 12, 3)):
        arguments = {"draft": draft, "source": "", "width": width, "height": height}
        assert refusal(page, "enrol-picture", arguments, body=b"\0" * size).argument == "width"
    for width, height in ((0, 20), (-1, -1), (1601, 20), (20.5, 20), (11, 11)):
        arguments = {"draft": draft, "source": "", "width": width, "height": height}
        assert refusal(page, "enrol-picture", arguments, body=b"\0" * 12).kind is Refusal.INVALID
    assert np.array_equal(page.ask("enrol-draft", {"draft": draft}).result["pictures"], [])
