"""Addresses: what is understood, what is suggested, and that no secret gets out."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesecure.camera.sources import open_source
from facesecure.camera.sources.uri import parse
from facesecure.config import CameraConfig
from facesecure.domain.errors import SourceError
from facesecure.util.redaction import redact


@pytest.mark.parametrize(
    ("uri", "scheme", "location"),
    [
        ("picamera2:0", "picamera2", "0"),
        ("picamera2:", "picamera2", "0"),
        ("PiCamera2:1", "picamera2", "1"),
        ("rtsp://cam/door", "rtsp", "rtsp://cam/door"),
        ("rtsps://cam:322/door", "rtsps", "rtsps://cam:322/door"),
        ("v4l2:/dev/null", "v4l2", "/dev/null"),
    ],
)
def test_an_address_is_understood(uri: str, scheme: str, location: str) -> None:
    address = parse(uri)
    assert (address.scheme, address.location) == (scheme, location)


def test_a_bare_path_is_a_file_a_folder_or_a_device(tmp_path: Path) -> None:
    film = tmp_path / "clip 1: door.mp4"
    film.touch()
    assert parse(str(film)).scheme == "file"
    assert parse(str(tmp_path)).scheme == "dir"
    assert parse("/dev/null").scheme == "v4l2"


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "clip.mp4").touch()
    assert parse("file:~/clip.mp4").path == tmp_path / "clip.mp4"


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("", "no source is given"),
        ("rstp://cam/door", "did you mean rtsp:"),
        ("picamera:0", "did you mean picamera2:"),
        ("http://cam/video", "no kind of source"),
        ("picamera2:left", "picamera2:0 is the first"),
        ("v4l2:0", "write v4l2:/dev/video0"),
        ("v4l2:/dev/video99", "there is no camera at /dev/video99"),
        ("v4l2:/etc/hostname", "is not a camera device"),
        ("rtsp:///door", "names no host"),
        ("rtsp://cam:port/door", "not a stream's address"),
        ("file:/no/such/folder/clip.mp4", "the folder /no/such/folder does not exist either"),
        ("nowhere.mp4", "there is no file or folder nowhere.mp4"),
    ],
)
def test_a_wrong_address_says_what_to_write_instead(uri: str, said: str) -> None:
    with pytest.raises(SourceError) as caught:
        open_source(uri, CameraConfig())
    assert said in str(caught.value)
    assert caught.value.hint


def test_a_misspelt_file_gets_its_neighbour_suggested(tmp_path: Path) -> None:
    (tmp_path / "front-door.mp4").touch()
    with pytest.raises(SourceError, match=r"did you mean .*front-door\.mp4"):
        parse(f"file:{tmp_path}/frontdoor.mp4")
    with pytest.raises(SourceError, match="there is no folder"):
        parse(f"dir:{tmp_path}/pictures")


def test_a_file_taken_for_a_folder_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").touch()
    with pytest.raises(SourceError, match="write file:"):
        parse(f"dir:{tmp_path}/clip.mp4")
    with pytest.raises(SourceError, match="write dir:"):
        parse(f"file:{tmp_path}")


SECRETS = [
    "rtsp://admin:hunter2@cam/door",
    "rtsp://admin:hunt@hunter2@cam/door",
    "rtsp://admin:pa/hunter2@cam/door",
    "rtsp://admin:p:hunter2@[fe80::1]:554/door",
    "rtsp://hunter2@cam/door",
    "rtsp://cam/user=admin&password=hunter2&channel=1",
    "rtsp://cam/live?token=hunter2",
    "error opening 'rtsp://admin:hunter2@cam/door': timed out",
    "rstp://admin:hunter2@cam/door",
]


@pytest.mark.parametrize("text", SECRETS)
def test_no_secret_survives_redaction(text: str) -> None:
    assert "hunter2" not in redact(text)


@pytest.mark.parametrize("uri", ["rtsp://admin:hunter2@cam/door", "rtsp://cam/user=admin&password=hunter2"])
def test_no_secret_is_in_an_address_or_a_source(uri: str) -> None:
    assert "hunter2" not in f"{open_source(uri, CameraConfig())!r} {parse(uri)} {parse(uri)!r}"


@pytest.mark.parametrize(
    "uri", ["rstp://admin:hunter2@cam/door", "rtsp://admin:p:hunter2/@cam", "rtsp://hunter2@/door"]
)
def test_no_secret_is_in_an_error(uri: str) -> None:
    with pytest.raises(SourceError) as caught:
        open_source(uri, CameraConfig())
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@given(st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="'\""), min_size=1))
def test_whatever_the_password_it_is_hidden(password: str) -> None:
    assert redact(f"rtsp://admin:{password}@cam/door") == "rtsp://***@cam/door"


def test_an_address_without_secrets_is_shown_as_it_is() -> None:
    assert str(parse("rtsp://192.168.1.7:554/h264")) == "rtsp://192.168.1.7:554/h264"


def test_an_at_sign_in_a_path_makes_no_secret_of_it(tmp_path: Path) -> None:
    (tmp_path / "porch@2x.mp4").touch()
    for uri in (f"file:{tmp_path}/porch@2x.mp4", f"{tmp_path}/porch@2x.mp4"):
        parse(uri)
    assert redact("the porch: 2x.mp4") == "the porch: 2x.mp4"


@pytest.mark.parametrize(
    "uri", ["rtsp//admin:hunter2@cam/1", "admin:hunter2@cam", "rtsp:/admin:hunter2@cam", '"rtsp://a:hunter2@cam']
)
def test_a_misspelt_address_shows_no_password(uri: str) -> None:
    with pytest.raises(SourceError) as caught:
        parse(uri)
    assert "hunter2" not in str(caught.value)


def test_a_port_that_cannot_be_is_named() -> None:
    with pytest.raises(SourceError, match="is not a stream's address") as caught:
        parse("rtsp://admin:hunter2@cam:99999/live")
    assert "the port is a number from 1 to 65535" in str(caught.value.hint)


def test_a_host_with_a_space_is_refused_at_once() -> None:
    with pytest.raises(SourceError, match="is not a stream's address"):
        parse("rtsp://admin:hunter2@ 192.168.1.7/live")


@pytest.mark.parametrize("password", ["12#3", "a#b", "12?3", "a?b", "a[b"])
def test_a_password_that_must_be_escaped_is_named_and_never_shown(password: str) -> None:
    with pytest.raises(SourceError, match="is not a stream's address") as caught:
        parse(f"rtsp://porch:{password}@192.168.1.9/door")
    assert "%23 for #" in (caught.value.hint or "")
    assert password not in str(caught.value)


@pytest.mark.parametrize(
    "uri", ["~$clip.mp4", "file:~$clip.mp4", "dir:~$clips", "v4l2:~$video", "~nobody-here/clip.mp4"]
)
def test_a_path_that_only_looks_like_a_home_is_a_path(
    uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError, match=r"~\$|~nobody-here"):
        parse(uri)
    (tmp_path / "~$clip.mp4").touch()
    (tmp_path / "~$clips").mkdir()
    assert parse("~$clip.mp4").path == Path("~$clip.mp4")
    assert parse("dir:~$clips").path == Path("~$clips")
