"""A folder anywhere that fsspec reaches: a path, or a URL such as s3://bucket/faces."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facesecure.domain.errors import FacesecureError, UsageError
from facesecure.util.installing import install_extra
from facesecure.util.paths import expanded
from facesecure.util.redaction import learn_address, redact

_SECRET = re.compile("pass|secret|token|key|credential|connection_string|sas", re.IGNORECASE)
"""Options of drivers that may change while the place stays the same."""
_HERE = re.compile("(?:file|local)://", re.IGNORECASE)
"""How fsspec lets an address begin that is a path of this machine."""
_USER = re.compile(r"[^/@]*@|[^/]*:(?!\d+(?:/|$))")
"""How an address goes on after its scheme if there is a user in it: up to an @, or with a colon before no port."""
ELSEWHERE = {"s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_PROFILE")}
"""Variables by which a driver finds a place, if its options name none."""


@dataclass(frozen=True, slots=True)
class Location:
    """A folder of a file system. ``shown`` is its address without secrets.

    Example::

        mirror(Location.at("faces"), Location.at("s3://bucket/faces"), MirrorOptions(threads=4))
    """

    files: Any
    root: str
    shown: str

    @classmethod
    def at(cls, address: str, options: Mapping[str, Any] | None = None) -> Location:
        """Open a path or a URL such as s3://bucket/faces, with ``options`` for its driver.

        Raises FacesecureError if no driver can reach it, and UsageError if it is empty.
        """
        from fsspec.core import url_to_fs

        _refuse_empty(address)
        _learn_password(address)
        shown = redact(address)
        try:
            files, root = url_to_fs(address, **(options or {}))
        except ImportError as error:
            raise FacesecureError(
                f"{shown} needs a driver that is not installed ({error})",
                f"{install_extra('s3')} (or 'facesecure[gdrive]'); for others see fsspec",
            ) from None
        except (ValueError, TypeError) as error:  # TypeError: a part is missing, as the host of ftp:///faces
            raise FacesecureError(
                f"{shown} is not an address that fsspec knows ({redact(str(error))})",
                "use a path, or for instance s3://bucket/folder",
            ) from None
        except Exception as error:  # noqa: BLE001 - a driver may raise anything
            raise FacesecureError(
                f"{shown} cannot be reached ({redact(str(error))})", "check the address and the rights"
            ) from None
        return cls(files, root.rstrip("/"), shown)

    @property
    def identity(self) -> str:
        """A text that another folder does not have: path, host, user and endpoint, without passwords and keys."""
        address, options = str(self.files.unstrip_protocol(self.root)), self._options()
        return f"{address} {options}" if options else address

    def holds(self, other: Location) -> bool:
        """Return whether ``other`` is this folder or one in it, however the two addresses are written."""
        if type(self.files) is not type(other.files) or self._options() != other._options():
            return False
        return not self.root or f"{other.root}/".startswith(f"{self.root}/")

    def _options(self) -> str:
        """Return what the driver needs besides the path to find it, without passwords and keys."""
        told = {name: value for name, value in self.files.storage_options.items() if not _SECRET.search(name)}
        told |= {name: os.environ[name] for name in self._variables() if os.environ.get(name)}
        return json.dumps(told, sort_keys=True, default=_plain) if told else ""

    def _variables(self) -> tuple[str, ...]:
        protocol = self.files.protocol
        return ELSEWHERE.get(protocol if isinstance(protocol, str) else protocol[0], ())

    def path(self, name: str) -> str:
        """Return the full path of the file ``name``."""
        return f"{self.root}/{name}"

    def folders(self) -> list[str]:
        """Return the names of the folders directly in it that are not hidden. Raises FacesecureError."""
        try:
            entries = self.files.ls(self.root, detail=True)
        except Exception as error:  # noqa: BLE001 - a driver may raise anything
            raise FacesecureError(
                f"{self.shown} cannot be read ({redact(str(error))})", "check the address and the rights"
            ) from None
        names = (one["name"].rstrip("/").rsplit("/", 1)[1] for one in entries if one["type"] == "directory")
        return [name for name in names if not name.startswith(".")]

    def below(self, folder: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield every file below ``folder`` that is not hidden: its name in this location, and its details.

        Raises FacesecureError if a folder cannot be listed.
        """
        try:
            yield from self._found(self.path(folder)).items()
        except FileNotFoundError:
            raise self._unlisted(self.path(folder), "it is gone") from None

    def listed(self) -> dict[str, dict[str, Any]]:
        """Return every file below the folder that is not hidden, by its name there, with the file system's details.

        Empty if the folder is missing. Raises FacesecureError if a folder cannot be listed: nobody must take its
        files for deleted.
        """
        self.files.invalidate_cache()
        try:
            return self._found(self.root)
        except FileNotFoundError:
            return {}

    def _found(self, top: str) -> dict[str, dict[str, Any]]:
        """Return the details of the files below the path ``top`` that are not hidden, by name, sorted by their paths.

        Raises FileNotFoundError if ``top`` is not there, and FacesecureError.
        """
        from fsspec.spec import AbstractFileSystem

        find = self.files.find
        try:  # fsspec's own leaves out, without a word, the folders that it cannot list
            own = getattr(find, "__func__", None) is not AbstractFileSystem.find
            found = find(top, detail=True) if own else dict(self._walked(top))
        except (FacesecureError, FileNotFoundError):
            raise
        except Exception as error:  # noqa: BLE001 - a driver may raise anything
            raise self._unlisted(top, error) from None
        return {name: info for path, info in sorted(found.items()) if (name := self._name(path)) and _is_shown(name)}

    def _walked(self, top: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the path and details of each file below the path ``top``. Raises what the driver raises."""
        waiting = [top]
        while waiting:
            where = waiting.pop()
            try:
                entries = self.files.ls(where, detail=True)
            except FileNotFoundError:
                if where == top:
                    raise
                raise self._unlisted(where, "it is gone") from None
            for info in entries:
                path = info["name"].rstrip("/")
                if info["type"] != "directory":
                    yield path, info
                elif path != where and _is_shown(self._name(path)):
                    waiting.append(path)

    def _name(self, path: str) -> str:
        return path[len(self.root) :].lstrip("/")

    def _unlisted(self, path: str, why: object) -> FacesecureError:
        place = f"{self.shown.rstrip('/')}/{self._name(path)}".rstrip("/")
        return FacesecureError(f"{place} cannot be listed ({redact(str(why))})", "check the address and the rights")


def is_remote(place: Path | str) -> bool:
    """Return whether ``place`` is an address for fsspec, and not a path of this machine."""
    return "://" in str(place) and not isinstance(place, Path)


def place_of(text: str) -> Path | str:
    """Return the path of this machine, or the address for fsspec, that ``text`` is. Its password is learnt.

    An address such as file:///faces is a path of this machine. Raises UsageError if ``text`` is empty.
    """
    _refuse_empty(text)
    if _HERE.match(text):
        from fsspec.implementations.local import LocalFileSystem

        return Path(LocalFileSystem._strip_protocol(_HERE.sub("file://", text)))
    if is_remote(text):
        _learn_password(text)
        return text
    return expanded(text)


def _refuse_empty(text: str) -> None:
    """Raise UsageError where fsspec and pathlib would take the current folder: the variable of a script was not set."""
    if not text.strip():
        raise UsageError("the path of a folder is empty", "name the folder; . is the current one")


def _learn_password(address: str) -> None:
    """Learn the password of an address as a secret. Buckets and folders are none, but parts of a web address may be."""
    for one in re.split(r"::(?=[\w+.-]+://)", address):
        scheme, _, rest = one.partition("://")
        if scheme.lower() in ("http", "https"):
            learn_address(one)
        elif user := _USER.match(rest):
            learn_address(f"{scheme}://{user[0] if user[0].endswith('@') else rest.rpartition('@')[0]}@")


def _is_shown(name: str) -> bool:
    return not any(part.startswith(".") for part in name.split("/"))


def absolute(place: Path | str) -> Path | str:
    """Return a path as workers need it, who may stand in another folder; an address as it is."""
    return place.absolute() if isinstance(place, Path) else place


def state_of_details(info: Mapping[str, Any]) -> str:
    """Return a text that changes with a file's content, as far as its file system tells: size, and tag or time."""
    tags = ("ETag", "etag", "md5Hash", "content_md5", "mtime", "LastModified", "last_modified", "updated", "created")
    tag = next((info[name] for name in tags if info.get(name)), "")
    return f"{info.get('size')} {tag}"


def _plain(option: object) -> str:
    """Return what can be told of an option that is no plain value."""
    return type(option).__name__
