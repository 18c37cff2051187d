"""The ways to write a device, and which device each means."""

from uuid import UUID

import pytest

from facesecure_plugins.google_home.device import Device, from_record
from facesecure_plugins.google_home.targets import Target, normalized

UUID_TEXT = "0a1b2c3d-0000-1111-2222-333344445555"
KITCHEN = Device("Kitchen  Display", (("192.168.1.20", 8009), ("fd00::20", 8009)), UUID(UUID_TEXT))


@pytest.mark.parametrize(
    "text",
    [
        "Kitchen Display",
        " kitchen display ",
        "KITCHEN DISPLAY",
        f"uuid:{UUID_TEXT}",
        f"UUID: {UUID_TEXT.replace('-', '')}",
        "192.168.1.20",
        "192.168.1.20:8009",
        "fd00::20",
        "[fd00::20]",
        "[fd00::20]:8009",
    ],
)
def test_one_device_has_many_names(text):
    assert Target.parse(text).matches(KITCHEN)


@pytest.mark.parametrize(
    ("written", "device"),
    [
        ("Caf\u00e9", "Cafe\u0301"),
        ("Anna's room", "Anna\u2019s room"),
        ("Anna`s room", "Anna\u02bcs room"),
        ("Anna\u00b4s room", "ANNA'S ROOM"),
        ("\u2764 speaker", "\u2764\ufe0f speaker"),
        ("Living room", "Living\u00a0room\u200b"),
        ("Stra\u00dfe", "STRASSE"),
    ],
)
def test_a_name_is_the_same_however_a_keyboard_writes_it(written, device):
    assert Target.parse(written).matches(Device(device, ()))


@pytest.mark.parametrize("text", ["Kitchen", "192.168.1.2", "192.168.1.20:42000", "uuid:" + "0" * 32, "[fd00::20]:1"])
def test_another_is_not_meant(text):
    assert not Target.parse(text).matches(KITCHEN)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.168.1.20", ("192.168.1.20", 8009)),
        ("192.168.1.20:32187", ("192.168.1.20", 32187)),
        ("fd00::20", ("fd00::20", 8009)),
        ("[fe80::1%eth0]:8010", ("fe80::1%eth0", 8010)),
        ("host:kitchen.lan", ("kitchen.lan", 8009)),
        ("host:kitchen.lan:8010", ("kitchen.lan", 8010)),
    ],
)
def test_an_address_is_known_without_asking_the_network(text, address):
    assert Target.parse(text).device.addresses == (address,)


@pytest.mark.parametrize("text", ["Kitchen", "kitchen.lan", "Door 2: left", "Anna's room", "1.2.3", "Küche 🍳"])
def test_all_else_is_a_name(text):
    assert Target.parse(text).device is None


@pytest.mark.parametrize(
    ("text", "why"), [("", "name"), ("uuid:12", "UUID"), ("192.168.1.20:0", "port"), ("[::1]:99999", "port")]
)
def test_what_can_be_nothing_is_refused(text, why):
    with pytest.raises(ValueError, match=why):
        Target.parse(text)


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        ({"md": "Google Home Mini", "ca": "2052"}, "speaker"),
        ({"md": "Google Nest Hub", "ca": "231941"}, "display"),
        ({"md": "Google Cast Group", "ca": "2084"}, "group"),
        ({"md": "Google Cast Group"}, "group"),
        ({"md": "Nest Audio"}, "speaker"),
    ],
)
def test_a_record_says_what_kind_it_is_whatever_its_port(texts, kind):
    for port in (8009, 42311):
        assert from_record({"id": UUID_TEXT, "fn": "x", **texts}, ["192.168.1.20"], port).kind == kind


@pytest.mark.parametrize("texts", [{}, {"id": "no uuid"}, {"id": UUID_TEXT, "ca": "many"}])
def test_a_record_that_makes_no_sense_is_passed_over(texts):
    assert from_record(texts, ["192.168.1.20"], 8009) is None
    assert from_record({"id": UUID_TEXT}, [], 8009) is None


def test_addresses_that_work_from_everywhere_come_first():
    device = from_record({"id": UUID_TEXT}, ["fe80::1%eth0", "fd00::20", "192.168.1.20"], 8009)
    assert [host for host, _ in device.addresses] == ["192.168.1.20", "fd00::20", "fe80::1%eth0"]
    assert device.name == UUID_TEXT


@pytest.mark.parametrize(
    ("typed", "announced"),
    [('"Den"', "\u201cDen\u201d"), ("cafe - bar", "cafe \u2013 bar"), ("guest-room", "guest\u2011room")],
)
def test_quotation_marks_and_dashes_that_a_phone_chose_are_those_of_a_keyboard(typed, announced):
    assert normalized(typed) == normalized(announced)
