"""What a person may be called."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesecure.domain.errors import UsageError
from facesecure.domain.names import (
    LONGEST_NAME,
    camera_slugs,
    known_camera,
    name_at_hub,
    name_key,
    person_name,
    same_name,
)


@pytest.mark.parametrize(
    "name", ["Tom", "Åsa Öberg", "李小龙", "O'Neill", "Zoë-Marie", "🦊", "👩‍👩‍👧", "the cat's minder", "J. R."]
)
def test_names_people_have_are_kept_as_they_are(name: str) -> None:
    assert person_name(name) == name


def test_spaces_around_and_between_are_tidied() -> None:
    assert person_name("  Ann   Lee \n") == "Ann Lee"


def test_a_decomposed_accent_is_composed() -> None:
    assert person_name(unicodedata.normalize("NFD", "Åsa")) == "Åsa"


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("", "no visible characters"),
        (" \t ", "no visible characters"),
        ("\u200d\ufe0f", "no visible characters"),
        ("x" * (LONGEST_NAME + 1), "65 characters"),
        ("a/b", "slash"),
        ("a\\b", "slash"),
        ("../../etc/passwd", "slash"),
        (".", "folder"),
        ("..", "folder"),
        ("Tom\x00", "control"),
        ("Tom\x1b[31m", "control"),
        ("To\nm", "control"),
        ("To\u2028m", "control"),
        ("Tom\u202eann", "control"),
        ("Tom\udcff", "control"),
    ],
)
def test_what_is_no_name_is_refused_and_the_complaint_says_why(name: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint) as caught:
        person_name(name)
    assert caught.value.hint


def test_a_door_and_a_household_follow_the_same_rule_in_words_of_their_own() -> None:
    assert name_at_hub(unicodedata.normalize("NFD", "  Küche  2 "), "door") == "Küche 2"
    for of in ("door", "household"):
        with pytest.raises(UsageError, match=f"'a/b' cannot be the name of a {of}: it has a slash") as caught:
            name_at_hub("a/b", of)
        assert "person" not in str(caught.value)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("garage", "GARAGE", True),
        ("Küche", unicodedata.normalize("NFD", "küche"), True),
        ("side  door ", "side door", True),
        ("garage", "garden", False),
        ("a/b", "a/b", False),
        ("", "", False),
    ],
)
def test_names_are_compared_as_people_write_them(one: str, other: str, same: bool) -> None:
    assert same_name(one, other) is same


def test_the_longest_name_allowed_is_allowed() -> None:
    assert person_name("x" * LONGEST_NAME) == "x" * LONGEST_NAME


def test_case_and_encoding_do_not_make_two_people() -> None:
    assert name_key("ÅSA strauß") == name_key(unicodedata.normalize("NFD", "åsa STRAUSS"))


@given(st.text())
def test_any_text_is_a_stable_name_or_refused(text: str) -> None:
    try:
        name = person_name(text)
    except UsageError:
        return
    assert person_name(name) == name
    assert name_key(name) == name_key(person_name(name.casefold()))
    assert name.encode("utf-8")


def test_a_camera_is_found_in_any_case_with_any_spaces_and_in_either_encoding() -> None:
    known = ["front door", unicodedata.normalize("NFD", "Porte d'entrée")]
    assert known_camera("Front  Door ", known) == "front door"
    assert known_camera("PORTE D'ENTRÉE", known) == known[1]


def test_an_unknown_camera_is_refused_with_the_closest_or_all() -> None:
    with pytest.raises(UsageError, match="there is no camera called 'fron dor'") as caught:
        known_camera("fron dor", ["Front Door", "gate"])
    assert caught.value.hint == "did you mean 'Front Door'?"
    with pytest.raises(UsageError) as caught:
        known_camera("", ["Front Door", "gate"])
    assert caught.value.hint == "the cameras are: Front Door, gate"


def test_cameras_have_words_for_addresses_of_their_own():
    names = ["front door", "Küche", "Дверь", "Front-Door", "a/../b"]
    slugs = camera_slugs(names)
    assert list(slugs) == ["front-door", "kuche", "camera-3", "front-door-4", "a-b"]
    assert list(slugs.values()) == names
    assert len(camera_slugs(["gate 3", "gate", "Gate!", "GATE?"])) == 4
