"""What a person becomes whom two doors have changed."""

from __future__ import annotations

import pytest

from facesecure.hub.sync.merging import Facts, merged


def facts(faces: str, name: str = "Anna", at: float = 1.0, doors: frozenset[str] | None = None) -> Facts:
    return Facts(name, at, frozenset(faces), doors)


@pytest.mark.parametrize(
    ("base", "here", "there", "faces"),
    [
        ("ab", "ab", "ab", "ab"),
        ("ab", "abc", "ab", "abc"),
        ("ab", "ab", "abd", "abd"),
        ("ab", "abc", "abd", "abcd"),
        ("ab", "a", "ab", "a"),
        ("ab", "ab", "b", "b"),
        ("ab", "ac", "b", "c"),
        ("ab", "a", "b", "b"),  # nobody is left without a face
    ],
)
def test_faces_that_either_door_added_are_kept_and_those_that_either_removed_go(base, here, there, faces):
    assert merged(facts(base), facts(here), facts(there)).faces == frozenset(faces)


def test_without_a_common_past_all_faces_are_kept():
    assert merged(None, facts("ab"), facts("bc", "anna")) == facts("abc", "anna")


@pytest.mark.parametrize(
    ("here", "there", "name"),
    [
        (("Anna", 1), ("Anna", 1), "Anna"),
        (("Annie", 5), ("Anna", 1), "Annie"),
        (("Anna", 1), ("Ann", 4), "Ann"),
        (("Annie", 5), ("Ann", 4), "Annie"),
        (("Annie", 3), ("Ann", 4), "Ann"),
    ],
)
def test_of_two_new_names_the_newer_counts(here, there, name):
    assert merged(facts("a"), facts("a", *here), facts("a", *there)).name == name


def test_the_doors_are_those_that_were_changed():
    few = frozenset("x")
    assert merged(facts("a"), facts("a", doors=few), facts("a")).doors == few
    assert merged(facts("a", doors=few), facts("a", doors=few), facts("a")).doors is None
