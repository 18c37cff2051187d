"""Web Push messages: the example of RFC 8291 bit for bit, and what a browser of ours reads."""

from __future__ import annotations

import time

import pytest
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec

from facesecure.alerts.push.encryption import LONGEST, encrypt, point
from facesecure.alerts.push.vapid import authorization, base64url, from_base64url, public_key
from support.push_service import CURVE, Push, SubscribedBrowser, claims_of, decoded, encoded

PRIVATE = bytes(31) + b"\x07"
SENDER = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
BROWSER = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
MESSAGE = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_"
    "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def test_the_example_of_rfc_8291_is_encrypted_bit_for_bit() -> None:
    key = ec.derive_private_key(int.from_bytes(decoded(SENDER), "big"), CURVE)
    plain = b"When I grow up, I want to be a watermelon"
    auth, salt = decoded("BTBZMqHH6r4Tts7J_aSIgg"), decoded("DGv6ra1nlYgDCS1FRnbzlw")
    assert encoded(encrypt(plain, decoded(BROWSER), auth, salt=salt, key=key)) == MESSAGE


@pytest.mark.parametrize("length", [0, 1, 511, 512, 513, LONGEST - 1, LONGEST])
def test_a_browser_reads_what_was_encrypted_for_it_and_another_does_not(length: int) -> None:
    browser = SubscribedBrowser()
    body = encrypt(b"x" * length, decoded(browser.p256dh), browser.auth, multiple=512)
    assert browser.decrypt(body) == b"x" * length
    assert len(body) <= 4096
    for other in (SubscribedBrowser(), SubscribedBrowser(browser.private, b"another secret..")):
        with pytest.raises(InvalidTag):
            other.decrypt(body)


def test_the_length_of_a_name_does_not_show() -> None:
    browser = SubscribedBrowser()
    sizes = {len(encrypt(b"x" * n, decoded(browser.p256dh), browser.auth, multiple=512)) for n in range(1, 512, 30)}
    assert len(sizes) == 1


def test_no_message_is_encrypted_twice_in_the_same_way() -> None:
    browser = SubscribedBrowser()
    bodies = [encrypt(b"x", decoded(browser.p256dh), browser.auth) for _ in range(2)]
    assert bodies[0][:16] != bodies[1][:16]
    assert bodies[0][21:86] != bodies[1][21:86]


def test_what_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 3993"):
        encrypt(b"x" * (LONGEST + 1), decoded(BROWSER), b"x" * 16)


@pytest.mark.parametrize("key", [b"", bytes(65), b"\x04" + b"\x01" * 64, b"\x02" + b"\x01" * 32, decoded(BROWSER)[:-1]])
def test_what_is_no_point_of_the_curve_is_refused(key: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        point(key)


def test_the_sender_signs_for_the_push_service_alone() -> None:
    header = authorization("https://push.example.com/a/b?c", PRIVATE, "mailto:anna@example.org", time.time())
    push = Push("/a", {"authorization": header}, b"")
    assert claims_of(push, public_key(PRIVATE), "https://push.example.com")["sub"] == "mailto:anna@example.org"
    other = header.replace("k=" + public_key(PRIVATE), "k=" + public_key(bytes(31) + b"\x08"))
    with pytest.raises(InvalidSignature):
        claims_of(
            Push("/a", {"authorization": other}, b""), public_key(bytes(31) + b"\x08"), "https://push.example.com"
        )


@pytest.mark.parametrize("text", ["a", "a b", "ä", "ab+/", "ab\n", "="])
def test_what_is_no_base64url_is_no_key(text: str) -> None:
    if text == "=":
        assert from_base64url(text) == b""
        return
    with pytest.raises(ValueError, match=r"."):
        from_base64url(text)


def test_base64url_is_read_with_and_without_padding() -> None:
    assert from_base64url(base64url(b"abcd")) == from_base64url(base64url(b"abcd") + "==") == b"abcd"
