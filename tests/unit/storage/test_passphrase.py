"""A file under a passphrase."""

import pytest

from facesecure.domain.errors import UsageError
from facesecure.storage import passphrase
from facesecure.storage.passphrase import WrongPassphrase, decrypt, encrypt, is_encrypted, require_good

CONTENT = b"faces " * 100
REAL_COST = passphrase.COST


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(passphrase, "COST", (1 << 10, 8, 1))


@pytest.fixture
def encrypted():
    return encrypt(CONTENT, "four random words")


def test_what_was_sealed_comes_back(encrypted):
    assert is_encrypted(encrypted)
    assert CONTENT not in encrypted
    assert decrypt(encrypted, "four random words") == CONTENT


def test_the_same_content_is_never_the_same_file(encrypted):
    assert encrypt(CONTENT, "four random words")[-100:] != encrypted[-100:]


def test_an_accent_is_the_same_however_the_keyboard_writes_it():
    assert decrypt(encrypt(CONTENT, "caf\u00e9 au lait"), "cafe\u0301 au lait") == CONTENT


def test_a_wrong_passphrase_is_told_from_a_damaged_file(encrypted):
    with pytest.raises(WrongPassphrase):
        decrypt(encrypted, "four random word")
    with pytest.raises(ValueError, match="truncated"):
        decrypt(encrypted[:-1], "four random words")
    with pytest.raises(ValueError, match="changed"):
        decrypt(encrypted[:-1] + bytes([encrypted[-1] ^ 1]), "four random words")


def test_no_byte_of_it_can_be_changed_unnoticed(encrypted):
    for position in [*range(encrypted.index(b"\n") + 1), len(encrypted) // 2, len(encrypted) - 1]:
        changed = bytearray(encrypted)
        changed[position] ^= 1
        with pytest.raises(ValueError):  # noqa: PT011 - many ways to be damaged
            decrypt(bytes(changed), "four random words")


@pytest.mark.parametrize("cost", ["1073741824 8 1", "1024 1000 1", "1024 8 1000", "0 8 1", "-5 8 1"])
def test_a_file_cannot_ask_for_the_whole_machine(encrypted, cost):
    with pytest.raises(ValueError, match="out of range"):
        decrypt(encrypted.replace(b"1024 8 1", cost.encode(), 1), "four random words")


def test_a_newer_version_is_told(encrypted):
    with pytest.raises(ValueError, match="version 2"):
        decrypt(encrypted.replace(b"encrypted 1", b"encrypted 2", 1), "four random words")


def test_a_short_passphrase_is_refused():
    with pytest.raises(UsageError, match="8 characters"):
        require_good("1234567")
    assert require_good("12345678") == "12345678"


def test_guessing_is_slow_as_shipped():
    n, r, p = REAL_COST
    assert n * r * p >= 2**20, "scrypt's least by OWASP's cheat sheet: n = 2**16, r = 8, p = 2"
