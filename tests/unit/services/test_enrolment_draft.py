"""An enrolment step by step: judged at once, stored only when it is saved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from facesecure.camera.synthetic.clip import enrolment_images
from facesecure.config import FacesecureConfig
from facesecure.domain import Image
from facesecure.domain.errors import UsageError
from facesecure.services.enrolment import EnrolmentRefused
from facesecure.services.enrolment_codes import code_of
from facesecure.services.enrolment_draft import MOST_PICTURES, EnrolmentDraft
from facesecure.services.model_stack import ModelStack
from facesecure.storage.store import Store
from support.faces import empty_scene, on_canvas, portrait, scaled


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> ModelStack:
    return ModelStack.load(FacesecureConfig(), tmp_path_factory.mktemp("models"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "state") as opened:
        yield opened


@pytest.fixture(scope="module")
def grace() -> list[Image]:
    return enrolment_images(16)


def two_people() -> Image:
    small = [scaled(portrait(name), 400 / portrait(name).shape[0]) for name in ("grace_hopper", "eileen_collins")]
    canvas, right = on_canvas(small[0], 40, 100), small[1]
    canvas[100 : 100 + right.shape[0], 520 : 520 + right.shape[1]] = right
    return canvas


def fill(draft: EnrolmentDraft, models: ModelStack, images: list[Image], wanted: int = 3) -> None:
    for number, image in enumerate(images):
        draft.add(models, image, f"{number}.jpg")
        if draft.standing(models).good >= wanted:
            return


def test_each_picture_is_judged_at_once_and_nothing_is_stored_before_saving(
    models: ModelStack, store: Store, grace: list[Image]
) -> None:
    draft = EnrolmentDraft(models, store, "Grace")
    assert draft.add(models, empty_scene(), "porch.jpg").candidate.reason == "no face found"
    fill(draft, models, grace)
    standing = draft.standing(models)
    assert (standing.good, standing.needed, standing.problem) == (3, 3, "")
    assert store.people() == []
    result = draft.save(models, store)
    assert result.person is not None
    assert [(person.name, person.faces) for person in store.people()] == [("Grace", 3)]
    assert store.faces_of("Grace")[0].source.startswith("picture ")


def test_too_few_good_pictures_say_what_is_missing_and_few_of_them_may_be_enough(
    models: ModelStack, store: Store, grace: list[Image]
) -> None:
    draft = EnrolmentDraft(models, store, "Grace")
    fill(draft, models, grace, wanted=1)
    standing = draft.standing(models)
    assert "at least 3 needed" in standing.problem
    assert standing.few
    with pytest.raises(EnrolmentRefused):
        draft.save(models, store)
    assert store.people() == []
    draft.save(models, store, few=True)
    assert store.people()[0].faces == 1


def test_of_several_faces_the_chosen_one_is_judged(models: ModelStack, store: Store) -> None:
    draft = EnrolmentDraft(models, store, "Eileen")
    picture = draft.add(models, two_people(), "both.jpg")
    assert not picture.candidate.accepted
    assert len(picture.candidate.choices) == 2
    assert picture.candidate.choices[0].centre[0] < picture.candidate.choices[1].centre[0]
    chosen = draft.choose(models, picture.number, 2)
    assert chosen.candidate.accepted, chosen.candidate.reason
    with pytest.raises(UsageError, match="no face number 1 to choose"):
        draft.choose(models, picture.number, 1)


def test_seeing_how_it_stands_changes_nothing(models: ModelStack, store: Store, grace: list[Image]) -> None:
    draft = EnrolmentDraft(models, store, "Grace")
    picture = draft.add(models, two_people(), "both.jpg")
    fill(draft, models, grace)
    first = draft.standing(models)
    taken = next(one for one in first.pictures if one.number == picture.number)
    assert taken.candidate.accepted  # it looks like the others
    assert draft.picture(picture.number).candidate.choices
    assert draft.standing(models).good == first.good


def test_a_picture_is_taken_back(models: ModelStack, store: Store, grace: list[Image]) -> None:
    draft = EnrolmentDraft(models, store, "Grace")
    fill(draft, models, grace, wanted=1)
    good = next(one.number for one in draft.standing(models).pictures if one.candidate.accepted)
    draft.drop(good)
    assert draft.standing(models).good == 0
    with pytest.raises(UsageError, match="no picture"):
        draft.picture(good)


def test_no_more_pictures_are_taken_than_help(models: ModelStack, store: Store) -> None:
    draft = EnrolmentDraft(models, store, "Grace")
    nothing = np.zeros((20, 20, 3), np.uint8)
    for number in range(MOST_PICTURES):
        draft.add(models, nothing, str(number))
    with pytest.raises(UsageError, match="are enough"):
        draft.add(models, nothing, "one more")


def test_who_was_enrolled_meanwhile_is_noticed_when_saving(
    models: ModelStack, store: Store, grace: list[Image]
) -> None:
    slow, quick = EnrolmentDraft(models, store, "Grace"), EnrolmentDraft(models, store, "Gracie")
    fill(slow, models, grace)
    fill(quick, models, grace)
    quick.save(models, store)
    with pytest.raises(EnrolmentRefused, match="show Gracie, who is enrolled already"):
        slow.save(models, store)
    assert [person.name for person in store.people()] == ["Gracie"]


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("", "good"),
        ("no face found", "no-face"),
        ("2 faces; which one is meant?", "several"),
        ("too dark: brightness 31 of 255", "too-dark"),
        ("blurred: sharpness 0.05, 0.15 needed; turned away: yaw 0.7, at most 0.5", "blurred"),
        ("nearly the same as picture 2, a.jpg", "twin"),
        ("nearly the same as one enrolled before", "known"),
        ("20 faces are enough", "enough"),
        ("looks like Tom (0.61) more than like the others (0.40)", "somebody-else"),
        ("something new", "other"),
    ],
)
def test_reasons_have_codes(reason: str, code: str) -> None:
    assert code_of(reason) == code


def test_every_reason_of_the_quality_floors_has_a_code() -> None:
    from facesecure.domain import Face
    from facesecure.vision.images.align import TEMPLATE
    from facesecure.vision.images.quality import ENROLMENT, assess
    from support.builders import face_at

    impossible = ENROLMENT.model_copy(
        update={"min_eye_distance": 500, "min_contrast": 255, "min_sharpness": 99, "min_confidence": 1.0}
    )
    black, white = np.zeros((112, 112, 3), np.uint8), np.full((112, 112, 3), 255, np.uint8)
    turned = TEMPLATE.copy()
    turned[2, 0] += 60
    face = face_at(200, 200, confidence=0.5)
    aside = Face(face.box, np.asarray(turned, np.float32), 0.5)
    reasons = {
        reason
        for crop in (black, white)
        for one in (face, aside)
        for reason in assess(crop, one, impossible, behind=0.0).reasons
    }
    assert len({code_of(reason) for reason in reasons}) >= 7
    assert "other" not in {code_of(reason) for reason in reasons}


def test_a_picture_that_cannot_be_read_is_shown_among_the_others(models: ModelStack, store: Store) -> None:
    draft = EnrolmentDraft(models, store, "Grace")
    refused = draft.refuse("a.heic", "cut short")
    assert (refused.candidate.accepted, code_of(refused.candidate.reason)) == (False, "file-cut-short")
    assert [one.number for one in draft.standing(models).pictures] == [refused.number]
