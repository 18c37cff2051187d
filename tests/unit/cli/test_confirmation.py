"""Commands that destroy ask first, and without a terminal they want --yes."""

from datetime import UTC, datetime

import pytest

from facesecure.cli import prompts
from facesecure.domain.accounts import Role
from facesecure.services.accounts import invite
from facesecure.services.sessions import token_hash
from support.people import enrolled_face

DESTRUCTIVE = [
    ("people", "remove", "Anna"),
    ("people", "remove", "Anna", "--face", 1),
    ("key", "rotate"),
    ("web", "accounts", "remove", "Ben"),
    ("web", "accounts", "reset", "Ben"),
]


@pytest.fixture
def anna(store):
    store.add_person("Anna", [enrolled_face(1), enrolled_face(2)])
    code = invite(store, "Ben", Role.MEMBER).code
    store.page.invitations.accept(token_hash(code), "a hash", datetime.now(UTC))
    return store


def _kept(facesecure):
    words = ("people", "show", "Anna"), ("key", "show"), ("web", "accounts", "list")
    return [facesecure(*each, "--json").json for each in words]


@pytest.mark.parametrize("json", [(), ("--json",)])
@pytest.mark.parametrize("words", DESTRUCTIVE)
def test_without_a_terminal_nothing_is_destroyed_unless_yes_is_given(facesecure, anna, words, json):
    before = _kept(facesecure)
    refused = facesecure(*words, *json)
    assert (refused.code, refused.out) == (2, "")
    assert "there is no terminal to confirm it" in refused.err
    assert "hint: to do it, add --yes\n" in refused.err
    assert _kept(facesecure) == before
    assert facesecure(*words, *json, "--yes").code == 0


@pytest.mark.parametrize("words", DESTRUCTIVE)
def test_at_a_terminal_it_is_asked_and_a_no_changes_nothing(facesecure, anna, words, monkeypatch):
    asked = []

    def confirm(question, *, abort, err):
        asked.append(question)
        raise prompts.typer.Abort

    monkeypatch.setattr(prompts, "_interactive", lambda: True)
    monkeypatch.setattr(prompts.typer, "confirm", confirm)
    before = _kept(facesecure)
    assert facesecure(*words).code == 130
    assert len(asked) == 1
    assert _kept(facesecure) == before
    assert facesecure(*words, "--yes").code == 0
    assert len(asked) == 1
