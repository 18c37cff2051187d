"""Parse the addresses of sources, as written in ``[camera] source`` or after ``--source``.

    picamera2:0    v4l2:/dev/video0    rtsp://user:password@host:554/path    file:clip.mp4    dir:images/

A bare path that exists is taken for a file, a folder or a device. Whatever is parsed is made known to
``util.redaction``, which keeps its secrets out of everything that is logged, shown or raised.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from facesecure.domain.errors import SourceError, did_you_mean
from facesecure.util.paths import expanded
from facesecure.util.redaction import learn_address, redact

SCHEMES = ("picamera2", "v4l2", "rtsp", "rtsps", "file", "dir")
EXAMPLES = "picamera2:0, v4l2:/dev/video0, rtsp://user:password@host/path, file:clip.mp4 or dir:images/"

_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*):")


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a source. ``location`` follows the scheme; for rtsp it is the whole URL, with its secrets."""

    scheme: str
    location: str = field(repr=False)

    @property
    def shown(self) -> str:
        """The address without secrets, for logs and messages."""
        return redact(self.location if self.scheme.startswith("rtsp") else f"{self.scheme}:{self.location}")

    @property
    def path(self) -> Path:
        """The location as a path, for files, folders and devices; ``~`` is expanded."""
        return expanded(self.location)

    def __str__(self) -> str:
        return self.shown


def parse(uri: str) -> Address:
    """Return the address that ``uri`` stands for. Raises SourceError with a suggestion for one that cannot work."""
    text = uri.strip()
    if not text:
        raise SourceError("no source is given", f"name one: {EXAMPLES}")
    found = _SCHEME.match(text)
    scheme = found[1].lower() if found else ""
    if scheme not in ("picamera2", "v4l2", "file", "dir") and not _is_path(text):
        learn_address(text)
    if scheme in SCHEMES:
        return _known(scheme, text)
    if expanded(text).exists():
        return _bare(text)
    if found:
        raise SourceError(
            f"'{redact(text)}' starts with '{redact(found[1])}:', which is no kind of source", _instead(scheme)
        )
    raise missing("file or folder", expanded(text), f"or name another kind of source: {EXAMPLES}")


def _is_path(text: str) -> bool:
    """Return whether ``text`` is a path and not a misspelt address, which may hold a password."""
    return text.startswith(("/", ".", "~")) or not ("://" in text or "@" in text) or expanded(text).exists()


def _known(scheme: str, text: str) -> Address:
    rest = text[len(scheme) + 1 :]
    checks = {"picamera2": _camera_number, "v4l2": _device, "file": _file, "dir": _folder}
    if scheme in checks:
        return checks[scheme](rest)
    return _stream(scheme, rest)


def _bare(text: str) -> Address:
    path = expanded(text)
    if path.is_dir():
        return _folder(text)
    return _device(text) if path.is_char_device() else _file(text)


def _camera_number(rest: str) -> Address:
    number = rest.strip() or "0"
    if not number.isdigit():
        raise SourceError(f"'picamera2:{rest}' names no camera", "give its number: picamera2:0 is the first one")
    return Address("picamera2", number)


def _device(rest: str) -> Address:
    path = expanded(rest)
    if rest.isdigit():
        raise SourceError(f"'v4l2:{rest}' names no device", f"write v4l2:/dev/video{rest}")
    if not path.exists():
        devices = sorted(str(device) for device in Path("/dev").glob("video*"))
        hint = (
            f"there is {', '.join(devices)}"
            if devices
            else "no camera is plugged in, or its driver is not loaded; see `ls /dev/video*`"
        )
        raise SourceError(f"there is no camera at {rest or 'an empty path'}", hint)
    if not path.is_char_device():
        raise SourceError(
            f"{rest} is not a camera device", "for a video write file:PATH, for a folder of images dir:PATH"
        )
    return Address("v4l2", rest)


def _file(rest: str) -> Address:
    path = expanded(rest)
    if path.is_dir():
        raise SourceError(f"{rest} is a folder, not a video", f"for a folder of images write dir:{rest}")
    if not path.exists():
        raise missing("file", path)
    return Address("file", rest)


def _folder(rest: str) -> Address:
    path = expanded(rest)
    if path.is_file():
        raise SourceError(f"{rest} is a file, not a folder", f"for a video write file:{rest}")
    if not path.exists():
        raise missing("folder", path)
    return Address("dir", rest)


def _stream(scheme: str, rest: str) -> Address:
    url = f"{scheme}:{rest}"
    try:
        parts = urlsplit(url)
        host = parts.hostname
        parts.port  # noqa: B018  (raises where the port is no number)
        if parts.username is None and ("@" in parts.fragment or (":" in parts.netloc and "@" in parts.query)):
            raise ValueError("the password ends the host's part")
        if host and re.search(r"\s", host):
            raise ValueError("a space in the host's name")
    except ValueError as error:
        port = "the port is a number from 1 to 65535; " if "out of range" in str(error) else ""
        raise SourceError(
            f"{redact(url)} is not a stream's address",
            f"{port}write rtsp://user:password@host:554/path; in a password write %40 for @, %3A for :, %2F for /,"
            " %23 for #, %3F for ? and %5B for [",
        ) from None
    if not host:
        raise SourceError(f"{redact(url)} names no host", "write rtsp://user:password@host/path")
    return Address(scheme, url)


def missing(what: str, path: Path, otherwise: str | None = None) -> SourceError:
    """Return the error for a missing path, with the most similar name in its folder as a suggestion."""
    folder = path.parent
    names = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    if hint := did_you_mean(path.name, names, shown=lambda name: str(folder / name)):
        return SourceError(f"there is no {what} {path}", hint)
    if not folder.is_dir():
        return SourceError(f"there is no {what} {path}", otherwise or f"the folder {folder} does not exist either")
    return SourceError(
        f"there is no {what} {path}", otherwise or "check the path; a relative one starts where the command is run"
    )


def _instead(scheme: str) -> str:
    hint = did_you_mean(scheme, SCHEMES, shown=lambda near: f"{near}: ")
    return f"{hint} Known are {EXAMPLES}" if hint else f"known are {EXAMPLES}"
