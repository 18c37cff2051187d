"""Paths as users write them, and text files as editors save them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from facesecure.util.paths import expanded, read_text, readable


def test_a_tilde_is_replaced_by_the_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/anna")
    assert expanded("~/photos") == Path("/home/anna/photos")
    assert expanded(Path("photos")) == Path("photos")


@pytest.mark.parametrize("name", ["~$photo.jpg", "~nobody-of-this-name/photo.jpg"])
def test_a_name_that_only_looks_like_a_home_is_kept(name: str) -> None:
    assert expanded(name) == Path(name)


def test_without_a_home_the_tilde_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("os.getuid", lambda: 2**31 - 5)  # no user of this machine
    assert expanded("~/photos") == Path("~/photos")


@pytest.mark.parametrize("name", [b"caf\xe9.jpg", b"\xff\xfe", b"ok.jpg", "Zoë \u202f.png".encode()])
def test_any_file_name_becomes_text_that_can_be_encoded(name: bytes) -> None:
    shown = readable(os.fsdecode(name))
    assert shown.encode() == name.decode("utf-8", "backslashreplace").encode()


def test_a_surrogate_that_is_no_byte_is_shown_by_its_code() -> None:
    assert readable("a\ud800b") == "a\\ud800b"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_text_is_read_in_each_encoding_of_common_editors(tmp_path: Path, encoding: str, end: str) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(f"Zoë.jpg 1{end}b.jpg 2{end}".encode(encoding))
    assert read_text(path) == "Zoë.jpg 1\nb.jpg 2\n"


def test_utf16_of_either_byte_order_is_read(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(b"\xfe\xff" + "Zoë".encode("utf-16-be"))
    assert read_text(path) == "Zoë"


@pytest.mark.parametrize("data", [b"caf\xe9", b"\xff\xfea"])
def test_other_bytes_are_no_text(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(data)
    with pytest.raises(UnicodeDecodeError):
        read_text(path)
