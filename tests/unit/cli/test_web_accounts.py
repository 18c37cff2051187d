"""``facesecure web setup`` and ``facesecure web accounts``."""

from __future__ import annotations

import pytest

from facesecure.domain.accounts import Role
from facesecure.services.passwords import Passwords
from facesecure.services.sign_in import Browser, SignIn
from support.page_accounts import PASSWORD, QuickHasher


def code_of(link: str) -> str:
    return link.partition("/invitation?code=")[2]


@pytest.fixture
def sign_in(store):
    return SignIn(store, 30, Passwords(QuickHasher()))


@pytest.fixture
def anna(facesecure, sign_in):
    """The first owner, who is signed in."""
    link = facesecure("web", "setup", "Anna", "--json").json["link"]
    token, _ = sign_in.accept(code_of(link), PASSWORD, Browser(words="Firefox on Android"))
    return token


def test_setup_shows_a_link_and_its_qr_code(facesecure, sign_in):
    shown = facesecure("web", "setup", "Anna", "--address", "https://home.example.org/")
    assert shown.code == 0
    assert shown.out.startswith("https://home.example.org/invitation?code=")
    assert "within 15 minutes" in shown.err
    assert "█" in shown.err
    invitation = sign_in.invitation(code_of(shown.out.strip()), Browser())
    assert (invitation.name, invitation.role) == ("Anna", Role.OWNER)


def test_setup_names_this_machine_as_phones_find_it(facesecure):
    link = facesecure("web", "setup", "--json").json
    assert (link["name"], link["role"], link["replaces"]) == ("owner", "owner", False)
    assert link["link"].startswith("https://")
    assert ".local:8443/invitation?code=" in link["link"]


def test_another_setup_replaces_a_link_that_nobody_opened(facesecure, sign_in):
    first, second = (code_of(facesecure("web", "setup", "Anna", "--json").json["link"]) for _ in range(2))
    with pytest.raises(Exception, match="not one that was made here"):
        sign_in.invitation(first, Browser())
    assert sign_in.invitation(second, Browser()).name == "Anna"


def test_there_is_one_setup(facesecure, anna):
    refused = facesecure("web", "setup", "Eve")
    assert refused.code == 2
    assert "the page is set up: Anna may do everything" in refused.err
    assert "facesecure web accounts reset 'Anna'" in refused.err


def test_accounts_are_listed_with_their_devices(facesecure, anna):
    listed = facesecure("web", "accounts", "list", "--json").json
    (account,) = listed["accounts"]
    assert (account["name"], account["role"], account["password"], account["devices"]) == ("Anna", "owner", True, 1)
    assert listed["problems"] == []
    assert "Anna" in facesecure("web", "accounts", "list").out


def test_without_accounts_it_says_how_to_begin(facesecure, store):
    shown = facesecure("web", "accounts", "list")
    assert shown.out == ""
    assert "facesecure web setup" in shown.err


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("invite", "anna"), "there is an account with that name already"),
        (("invite", "../x"), "cannot be a person's name"),
        (("reset", "Ana", "--yes"), "no account called 'Ana'"),
        (("remove", "Anna", "--yes"), "the only owner"),
        (("sign-out", "Ben"), "no account called 'Ben'"),
    ],
)
def test_what_cannot_be_done_says_why(facesecure, anna, words, why):
    refused = facesecure("web", "accounts", *words)
    assert (refused.code, refused.out) == (2, "")
    assert why in refused.err


def test_a_reset_signs_out_and_makes_a_link(facesecure, anna, sign_in):
    link = facesecure("web", "accounts", "reset", "anna", "--yes", "--json").json
    assert link["replaces"]
    sign_in.sessions.forget()
    assert sign_in.sessions.find(anna) is None
    sign_in.accept(code_of(link["link"]), "another long word", Browser())


def test_signing_out_ends_every_session(facesecure, anna, sign_in):
    assert "Anna is signed out in 1 browser\n" in facesecure("web", "accounts", "sign-out", "Anna").out
    sign_in.sessions.forget()
    assert sign_in.sessions.find(anna) is None


def test_an_account_is_removed(facesecure, anna, sign_in):
    link = facesecure("web", "accounts", "invite", "Ben", "--role", "viewer", "--json").json["link"]
    sign_in.accept(code_of(link), PASSWORD, Browser())
    assert facesecure("web", "accounts", "remove", "Ben", "--yes").code == 0
    assert [one["name"] for one in facesecure("web", "accounts", "list", "--json").json["accounts"]] == ["Anna"]
    with pytest.raises(Exception, match="is wrong"):
        sign_in.by_password("Ben", PASSWORD, Browser())
