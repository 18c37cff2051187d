"""Passkeys in Chromium, with its virtual authenticator: added, signed in with, given again, and removed."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from facesecure.domain.accounts import Role
from support.page.looking import DESKTOP, PHONE, choose_password, scrolls_sideways, violations


def with_authenticator(page: Page) -> None:
    """Give ``page`` a device that keeps passkeys, and whose user always shows their finger."""
    tools = page.context.new_cdp_session(page)
    tools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    tools.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_a_passkey_signs_in_and_is_given_in_place_of_the_password(house, sessions_of, browsing):
    sessions_of(house, Role.OWNER)
    phone = browsing(house, None, PHONE)
    with_authenticator(phone)
    phone.goto(house.invite("Hedy", Role.OWNER))
    choose_password(phone)
    phone.goto("/accounts")
    phone.get_by_role("button", name="Add a passkey").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Add a passkey")
    assert violations(phone) == []
    phone.get_by_label("Name").fill("Hedy's phone")
    phone.get_by_role("button", name="Make the passkey").click()
    expect(phone.get_by_role("status").first).to_contain_text("The passkey was added.")
    card = phone.locator("#passkeys")
    expect(card).to_contain_text("Hedy's phone")
    expect(card).to_contain_text("not used yet")
    assert violations(phone) == []
    assert not scrolls_sideways(phone)

    phone.get_by_role("button", name="Sign out here").click()
    expect(phone.get_by_role("status")).to_have_text("Signed out.")
    phone.goto("/timeline")
    assert violations(phone) == []
    phone.get_by_role("button", name="Sign in with a passkey").click()
    expect(phone).to_have_url(f"{house.url}/timeline")

    phone.goto("/confirm?next=/accounts")
    assert violations(phone) == []
    phone.get_by_role("button", name="Use a passkey").click()
    expect(phone.get_by_role("status").first).to_contain_text("Thank you.")
    expect(card).to_contain_text("last used")

    card.get_by_text("Remove", exact=True).first.click()
    card.get_by_role("button", name="Remove").click()
    expect(phone.get_by_role("status").first).to_contain_text("The passkey was removed.")
    expect(card).not_to_contain_text("Hedy's phone")


def test_a_device_that_refuses_is_told_of(house, sessions_of, browsing):
    sessions_of(house, Role.OWNER)
    desk = browsing(house, None, DESKTOP, locale="fr-FR")
    desk.goto(house.invite("Ines", Role.VIEWER))
    choose_password(desk)
    desk.goto("/accounts")
    desk.get_by_role("button", name="Ajouter une clé d’accès").click()
    desk.evaluate("""() => {
        navigator.credentials.create = () => Promise.reject(new DOMException("", "NotAllowedError"));
    }""")
    desk.get_by_role("button", name="Créer la clé d’accès").click()
    expect(desk.get_by_role("alert")).to_contain_text("Aucune clé d’accès n’a été créée.")
