"""Accounts in a browser: from a one-time link to signing out, with and without scripts, and what an owner sees."""

from __future__ import annotations

import http.client
import ssl
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from facesecure.domain.accounts import Role
from support.page.house import PASSWORD
from support.page.looking import DESKTOP, PHONE, choose_password, scrolls_sideways, violations


def fetched(address: str) -> tuple[int, str]:
    """Status and kind of what a program without cookies gets."""
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    url = urlsplit(address)
    connection = http.client.HTTPSConnection(url.netloc, context=anybody, timeout=20)
    try:
        connection.request("GET", f"{url.path}?{url.query}")
        answer = connection.getresponse()
        return answer.status, answer.headers["Content-Type"]
    finally:
        connection.close()


@pytest.mark.parametrize(("javascript", "name"), [(True, "Dora"), (False, "Emil")])
def test_a_link_is_opened_once_and_its_password_signs_in(house, sessions_of, browsing, javascript, name):
    sessions_of(house, Role.OWNER)
    link = house.invite(name, Role.VIEWER)
    phone = browsing(house, None, PHONE, javascript=javascript)
    phone.goto(link)
    expect(phone.get_by_role("heading", level=1)).to_have_text(f"Hello {name}")
    phone.get_by_label("Password").fill(PASSWORD)
    phone.get_by_role("button", name="Show what I type").click()
    expect(phone.get_by_label("Password")).to_have_attribute("type", "text")
    expect(phone.get_by_label("Password")).to_have_value(PASSWORD)
    phone.get_by_label("The same again").fill(PASSWORD)
    phone.get_by_role("button", name="Save and sign in").click()
    expect(phone).to_have_url(f"{house.url}/")
    phone.goto("/accounts")
    expect(phone.get_by_role("heading", name=f"You, {name}")).to_be_visible()
    assert phone.get_by_role("heading", name="Invite somebody").count() == 0
    phone.get_by_role("button", name="Sign out here").click()
    expect(phone.get_by_role("status")).to_have_text("Signed out.")
    phone.goto("/timeline")
    phone.get_by_label("Name").fill(name.upper())
    phone.get_by_label("Password").fill(PASSWORD)
    phone.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(phone).to_have_url(f"{house.url}/timeline")


def test_an_owner_invites_by_a_qr_code_and_ends_a_session(house, signed_in, browsing):
    owner = signed_in(Role.OWNER, DESKTOP)
    owner.goto("/accounts")
    owner.locator("#invite").get_by_label("Name").fill("Fanny")
    owner.locator("#invite").get_by_role("button", name="Make a link").click()
    assert owner.get_by_alt_text("QR code of the link").evaluate("image => image.naturalWidth") > 100
    assert violations(owner) == []
    link = owner.locator("code.address").inner_text()
    fannys = browsing(house, None, PHONE, locale="fr-FR")
    fannys.goto(link)
    choose_password(fannys)
    fannys.goto("/accounts")
    expect(fannys.get_by_role("heading", name="Vous, Fanny")).to_be_visible()
    owner.goto("/accounts")
    card = owner.locator("section.card", has=owner.get_by_role("heading", name="Fanny"))
    expect(card).to_contain_text("Chrome on")
    card.get_by_role("button", name="Sign out").click()
    expect(owner.get_by_role("status")).to_have_text("That browser was signed out.")
    fannys.goto("/timeline")
    assert fannys.url.startswith(f"{house.url}/sign-in")
    card = owner.locator("section.card", has=owner.get_by_role("heading", name="Fanny"))
    card.get_by_text("Remove", exact=True).first.click()
    expect(card).to_contain_text("can no longer sign in")
    card.get_by_role("button", name="Remove").click()
    expect(owner.get_by_role("heading", name="Fanny")).to_have_count(0)


def test_a_language_is_kept_with_the_account(house, sessions_of, browsing):
    sessions_of(house, Role.OWNER)
    phone = browsing(house, None, PHONE)
    phone.goto(house.invite("Gilles", Role.VIEWER))
    choose_password(phone)
    phone.goto("/accounts")
    phone.get_by_text("Language", exact=True).click()
    phone.get_by_label("Language of this page").select_option("fr")
    phone.get_by_role("button", name="Save").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Comptes et appareils")
    assert not scrolls_sideways(phone)


def test_a_picture_is_shown_by_an_address_until_it_is_revoked(signed_in):
    owner = signed_in(Role.OWNER)
    owner.goto("/accounts")
    owner.locator("#tokens summary").click()
    owner.get_by_label("What it is for").fill("hall tablet")
    owner.locator("#tokens").get_by_role("button", name="Make an address").click()
    address = owner.locator("code.address").first.inner_text()
    assert fetched(address) == (200, "image/jpeg")
    owner.goto("/accounts")
    owner.get_by_role("button", name="Revoke hall tablet").click()
    expect(owner.get_by_role("status")).to_have_text("The address shows nothing any more.")
    assert fetched(address)[0] == 403


def test_the_audit_log_is_searched(house, signed_in):
    owner = signed_in(Role.OWNER, DESKTOP)
    owner.goto("/audit")
    expect(owner.get_by_role("status")).to_contain_text("The log is whole")
    owner.get_by_text("Filter").click()
    owner.get_by_label("What was done").select_option("person-enrolled")
    owner.get_by_role("button", name="Show").click()
    expect(owner.locator(".entry").first).to_contain_text("Grace Hopper")
    assert owner.locator(".entry", has_text="Somebody signed in").count() == 0
    assert violations(owner) == []
