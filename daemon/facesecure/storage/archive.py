"""Export people to one file encrypted with a passphrase (``storage.passphrase``), and import them on another machine.

The content is a zip of lossless crops and a JSON manifest:

    manifest.json        format, version, and for every person: name, created_at, and their faces
    faces/0001/0001.png  aligned crops, uint8 RGB 112x112, as enrolment made them

A daemon with another model embeds the crops again. An unencrypted zip, as the first version wrote, can still be read.
"""

from __future__ import annotations

import io
import json
import logging
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from facesecure.config.wording import first_problem
from facesecure.domain import Image, Quality
from facesecure.domain.errors import FacesecureError, ImageError, StoreError, UsageError
from facesecure.domain.names import name_key, person_name
from facesecure.domain.records import EnrolledFace, Person
from facesecure.storage.passphrase import WrongPassphrase, decrypt, encrypt, is_encrypted
from facesecure.storage.store import Store
from facesecure.vision.images.codec import png_bytes, stored_size
from facesecure.vision.images.photos import photo_of

FORMAT = "facesecure-people"
VERSION = 1
_LARGEST_CROP = 200_000
_LARGEST_MANIFEST = 64_000_000

_log = logging.getLogger(__name__)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Quality(_Part):
    eye_distance: float
    sharpness: float
    brightness: float
    contrast: float
    yaw: float
    pitch: float
    roll: float
    confidence: float
    clarity: Annotated[float, Field(ge=0, le=1)]
    reasons: tuple[str, ...] = ()


class _Face(_Part):
    crop: str
    source: str
    added_at: datetime
    quality: _Quality
    model_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    embedding: Annotated[tuple[float, ...], Field(min_length=1, max_length=4096)]


class _Person(_Part):
    name: str
    created_at: datetime
    faces: Annotated[tuple[_Face, ...], Field(min_length=1)]


class _Manifest(_Part):
    format: Literal["facesecure-people"]
    version: Literal[1]
    written_at: datetime
    people: tuple[_Person, ...]


@dataclass(frozen=True, slots=True)
class ArchivedPerson:
    """A person read from a file and not added yet."""

    name: str
    faces: tuple[EnrolledFace, ...]


@dataclass(frozen=True, slots=True)
class Added:
    """The result of importing one person: faces ``added``, and faces that were ``known`` already."""

    name: str
    added: int
    known: int


def write_people(
    store: Store, file: IO[bytes], passphrase: Callable[[], str], names: Sequence[str] | None = None
) -> list[Person]:
    """Write the people called ``names`` (None or empty: everyone) to ``file``, and return them.

    Raises UsageError if a name is not enrolled, or no one is, before ``passphrase`` is called.
    """
    people = _wanted(store, names)
    packed = io.BytesIO()
    secret = passphrase()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:  # PNG is compressed already
        entries = [_write_person(archive, number, person, store) for number, person in enumerate(people, 1)]
        manifest = _Manifest(format=FORMAT, version=VERSION, written_at=datetime.now(UTC), people=tuple(entries))
        archive.writestr("manifest.json", manifest.model_dump_json(indent=1))
    file.write(encrypt(packed.getvalue(), secret))
    return people


def _wanted(store: Store, names: Sequence[str] | None) -> list[Person]:
    wanted = {name_key(name) for name in names or ()}
    for name in names or ():
        store.faces_of(name)  # raises if it is not enrolled
    people = [person for person in store.people() if not wanted or name_key(person.name) in wanted]
    if not people:
        raise UsageError("no one is enrolled yet", "start with: facesecure enroll NAME --images PATH...")
    return people


def _write_person(archive: zipfile.ZipFile, number: int, person: Person, store: Store) -> _Person:
    faces = []
    for index, face in enumerate(store.faces_of(person.name), 1):
        crop = f"faces/{number:04}/{index:04}.png"
        archive.writestr(crop, png_bytes(face.image))
        faces.append(_entry(crop, face))
    return _Person(name=person.name, created_at=person.created_at, faces=tuple(faces))


def _entry(crop: str, face: EnrolledFace) -> _Face:
    return _Face(
        crop=crop,
        source=face.source,
        added_at=face.added_at,
        quality=_Quality(**{name: getattr(face.quality, name) for name in _Quality.model_fields}),
        model_sha256=face.model_sha256,
        embedding=tuple(face.embedding.tolist()),
    )


def read_people(path: Path, passphrase: Callable[[], str]) -> list[ArchivedPerson]:
    """Read and check the people in a file; ``passphrase`` is called if the file is encrypted.

    Raises UsageError if the file is missing, damaged or not an export; FacesecureError if the passphrase is wrong.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(_opened(path, path.read_bytes(), passphrase))) as archive:
            manifest = _manifest(path, archive)
            return [_archived_person(path, archive, person) for person in manifest.people]
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", "give a file that `people export` wrote") from error
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise _damaged(path, str(error)) from error


def _opened(path: Path, data: bytes, passphrase: Callable[[], str]) -> bytes:
    """Return the zip, decrypted if necessary."""
    if not is_encrypted(data):
        if zipfile.is_zipfile(io.BytesIO(data)):
            _log.warning("%s is not encrypted: delete it, and export again if you need a copy", path)
        return data
    try:
        return decrypt(data, passphrase())
    except WrongPassphrase as error:
        raise FacesecureError(
            f"the passphrase of {path} is wrong", "enter the one that was chosen at the export"
        ) from error
    except ValueError as error:
        raise _damaged(path, str(error)) from error


def _manifest(path: Path, archive: zipfile.ZipFile) -> _Manifest:
    try:
        content = _member(path, archive, "manifest.json", _LARGEST_MANIFEST)
        data = json.loads(content)
        _check_version(path, data)
        return _Manifest.model_validate(data)
    except ValidationError as error:
        raise _damaged(path, f"manifest.json, {first_problem(error, _Manifest)}") from error
    except ValueError as error:
        raise _damaged(path, f"manifest.json: {error}") from error


def _check_version(path: Path, data: object) -> None:
    version = data.get("version") if isinstance(data, dict) and data.get("format") == FORMAT else None
    if isinstance(version, int) and version > VERSION:
        raise UsageError(f"{path} was written by a newer facesecure", "upgrade facesecure and import it again")


def _archived_person(path: Path, archive: zipfile.ZipFile, person: _Person) -> ArchivedPerson:
    faces = tuple(_face(path, archive, face) for face in person.faces)
    return ArchivedPerson(person_name(person.name), faces)


def _face(path: Path, archive: zipfile.ZipFile, entry: _Face) -> EnrolledFace:
    quality = Quality(**entry.quality.model_dump())
    embedding = np.array(entry.embedding, np.float32)
    try:
        image = _crop(_member(path, archive, entry.crop, _LARGEST_CROP))
        return EnrolledFace(image, embedding, entry.model_sha256, quality, entry.source, added_at=entry.added_at)
    except (ValueError, StoreError) as error:
        raise _damaged(path, f"{entry.crop}: {error}") from error


def _crop(data: bytes) -> Image:
    """Decode a crop, which anybody may have made. Raises ValueError if it is not one as an export writes them."""
    if stored_size(data) != (112, 112):
        raise ValueError("not a PNG of 112x112 pixels")
    try:
        return photo_of(data, "its image")
    except ImageError as error:
        raise ValueError(error.message) from None


def _member(path: Path, archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    try:
        size = archive.getinfo(name).file_size
    except KeyError:
        raise _damaged(path, f"there is no {name} in it") from None
    if size > limit:
        raise _damaged(path, f"{name} has {size:,} bytes")
    return archive.read(name)


def _damaged(path: Path, why: str) -> UsageError:
    return UsageError(f"{path} is damaged, or not a file that `people export` wrote ({why})", "export it again")


def add_people(store: Store, archived: Sequence[ArchivedPerson]) -> list[Added]:
    """Add people to the store, each in one transaction; a face that is stored already is skipped."""
    return [_add(store, person) for person in archived]


def _add(store: Store, archived: ArchivedPerson) -> Added:
    enrolled = {name_key(person.name) for person in store.people()}
    there = store.faces_of(archived.name) if name_key(archived.name) in enrolled else []
    known = {face.image.tobytes() for face in there}
    new = [face for face in archived.faces if face.image.tobytes() not in known]
    if new:
        store.add_person(archived.name, new)
    return Added(archived.name, len(new), len(archived.faces) - len(new))
