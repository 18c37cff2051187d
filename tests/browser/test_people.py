"""Who is this?, People and Enrol in a browser: pictures sent one by one, the face that is meant, removal, export."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from facesecure.domain.accounts import Role
from facesecure.services.people import read_export
from support.faces import empty_scene
from support.page.forms import jpeg
from support.page.house import House
from support.page.looking import DESKTOP, PHONE, confirm_password, scrolls_sideways, violations
from support.page_people import two_people

NAME = "Eileen Collins"
CHECKED = 30_000


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Pictures that a phone might send: of two people, of nobody, and one that was cut short."""
    folder = tmp_path_factory.mktemp("shots")
    data = {"both": jpeg(two_people()), "nobody": jpeg(empty_scene())}
    data["broken"] = data["both"][:5000]
    for name, content in data.items():
        (folder / f"{name}.jpg").write_bytes(content)
    return {name: folder / f"{name}.jpg" for name in data}


def names(house: House) -> list[str]:
    return [str(one["name"]) for one in house.command("people", "list", "--json")["people"]]


def begin(page: Page, name: str = NAME) -> None:
    page.goto("/enrol")
    page.get_by_label("Name").fill(name)
    page.get_by_label("This person knows that and agrees").check()
    page.get_by_role("button", name="Go on to the pictures").click()
    expect(page.get_by_role("heading", name=f"Pictures of {name}")).to_be_visible()


def choose(page: Page, *files: Path) -> None:
    page.locator("#photos").set_input_files(files)
    expect(page.locator("[data-waiting] li")).to_have_count(0, timeout=CHECKED)


def test_each_picture_is_answered_and_the_face_that_is_meant_is_tapped(house, signed_in, shots):
    page = signed_in(Role.MEMBER)
    before = names(house)
    begin(page)
    choose(page, shots["nobody"], shots["broken"], shots["both"])
    expect(page.get_by_text("No face found")).to_be_visible()
    expect(page.get_by_text("The file is cut short")).to_be_visible()
    assert violations(page) == []
    assert not scrolls_sideways(page)
    page.locator(".box").nth(1).click()
    expect(page.get_by_role("heading", name="1 good of the 3 that are needed")).to_be_visible()
    expect(page.locator(".shot.taken")).to_have_count(1)
    page.get_by_role("button", name="Remove picture 1").click()
    expect(page.locator("#enrolment .shot")).to_have_count(2)
    assert names(house) == before
    page.locator("summary", has_text="Give up").click()
    page.get_by_role("button", name="Give up").click()
    expect(page.get_by_text("Nothing was stored, and the pictures are gone.")).to_be_visible()
    assert names(house) == before


def test_a_camera_of_the_house_takes_pictures_while_it_is_shown_live(house, signed_in):
    page = signed_in(Role.MEMBER)
    begin(page, "Sally Ride")
    page.get_by_role("link", name="With the camera:").click()
    expect(page.locator("canvas")).to_be_visible(timeout=CHECKED)
    assert violations(page) == []
    assert not scrolls_sideways(page)
    for count in (1, 2):
        page.get_by_role("button", name="Take this picture").click()
        expect(page.locator("#enrolment .shot")).to_have_count(count, timeout=CHECKED)
    expect(page.locator("canvas")).to_be_visible()
    page.get_by_role("link", name="Other ways to take pictures").click()
    expect(page.locator("#enrolment .shot")).to_have_count(2)
    page.locator("summary", has_text="Give up").click()
    page.get_by_role("button", name="Give up").click()
    assert "Sally Ride" not in names(house)


def test_somebody_is_added_with_few_pictures_and_removed_with_the_password(house, signed_in, shots):
    page = signed_in(Role.OWNER)
    begin(page)
    choose(page, shots["both"])
    page.get_by_role("button", name="Face 2", exact=True).click()
    page.get_by_text("There are no more pictures").click()
    page.get_by_role("button", name="Save with these").click()
    expect(page).to_have_url(re.compile("/people/Eileen%20Collins$"))
    expect(page.get_by_text("Few pictures")).to_be_visible()
    assert NAME in names(house)
    for size, dark in ((PHONE, False), (DESKTOP, True)):
        looking = signed_in(Role.MEMBER, size, dark=dark)
        for path in ("/people/Eileen%20Collins", "/people"):
            looking.goto(path)
            assert violations(looking) == [], (path, size)
            assert not scrolls_sideways(looking), (path, size)
    page.get_by_role("link", name="Remove…").click()
    confirm_password(page)
    page.goto("/people/Eileen%20Collins/remove")
    expect(page.get_by_text("This cannot be undone.")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name=f"Remove {NAME}").click()
    expect(page).to_have_url(re.compile("/people$"))
    assert NAME not in names(house)


def test_a_single_picture_is_removed(house, signed_in):
    page = signed_in(Role.MEMBER)
    before = house.command("people", "show", "Grace Hopper", "--json")["faces"]
    page.goto("/people/Grace%20Hopper")
    page.get_by_role("link", name="Picture 1", exact=True).click()
    assert violations(page) == []
    page.locator("summary", has_text="Remove this picture").click()
    page.get_by_role("button", name="Remove this picture").click()
    expect(page.get_by_text("The picture is removed.")).to_be_visible()
    after = house.command("people", "show", "Grace Hopper", "--json")["faces"]
    assert len(after) == len(before) - 1
    house.command("enroll", "Grace Hopper", "--images", house.album)


def test_people_are_exported_to_a_file_that_can_be_imported(house, signed_in, tmp_path):
    page = signed_in(Role.OWNER)
    page.goto("/people-export")
    if "/confirm" in page.url:
        confirm_password(page)
    expect(page.get_by_role("heading", name="Export people")).to_be_visible()
    assert violations(page) == []
    page.get_by_label("Passphrase", exact=True).fill("four random words here")
    page.get_by_label("The passphrase again").fill("four random words here")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the file").click()
    assert re.fullmatch(r"people-\d{4}-\d\d-\d\d\.faces", download.value.suggested_filename)
    file = tmp_path / "family.faces"
    download.value.save_as(file)
    assert "Grace Hopper" in [one.name for one in read_export(file, lambda: "four random words here")]


@pytest.mark.usefixtures("visited")
@pytest.mark.parametrize(("size", "dark"), [(PHONE, False), (DESKTOP, True)], ids=["phone", "desk"])
def test_a_visitor_s_pages_are_for_everybody(signed_in, size, dark):
    page = signed_in(Role.MEMBER, size, dark=dark)
    page.goto("/who")
    page.locator("main").get_by_role("link", name="Who is this?").first.click()
    assert violations(page) == []
    page.get_by_label("Name, new or known").fill("Somebody New")
    page.get_by_role("button", name="Look at it first").click()
    expect(page.get_by_text("Nothing is stored before Save.")).to_be_visible()
    assert violations(page) == []
    assert not scrolls_sideways(page)
