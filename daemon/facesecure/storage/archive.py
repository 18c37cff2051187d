"""Export people to one file encrypted with a passphrase (``storage.passphrase``), and import them on another machine.

The content is a zip of lossless crops and a JSON manifest:

    manifest.json        format, version, and for every person: name, created_at, and their faces
    faces/0001/0001.png  aligned crops, uint8 RGB 112x112, as enrolment made them

Whoever imports a file may not be who wrote it: a crop counts, its embedding does not (``services.people_import``). An
unencrypted zip, as the first version wrote, can still be read. Version 1 requires embeddings, which older versions use.
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

from pydantic import BaseModel, ConfigDict, FailFast, Field, ValidationError

from facesecure.config.wording import first_problem
from facesecure.domain import AlignedFace, Image, Quality
from facesecure.domain.errors import FacesecureError, ImageError, UsageError
from facesecure.domain.names import LONGEST_NAME, name_key, person_name
from facesecure.domain.records import EnrolledFace, Person
from facesecure.storage.archive_entries import MANIFEST, MOST_FACES, Entries
from facesecure.storage.passphrase import WrongPassphrase, decrypt, encrypt, is_encrypted
from facesecure.storage.store import Store
from facesecure.util.plain_text import one_line, skeleton
from facesecure.vision.images.codec import png_bytes, stored_size
from facesecure.vision.images.photos import photo_of

FORMAT = "facesecure-people"
VERSION = 1
LARGEST_FILE = 256_000_000
"""Bytes of an export: MOST_FACES take 220 MB at most."""
MOST_PEOPLE = 1_000
LARGEST_CROP = 64_000
"""Bytes of a crop: 112x112 pixels take 38 kB without compression."""
_LARGEST_MANIFEST = 48_000_000
_STRINGS, _LISTS = 32, 6
"""Strings, and lists and objects, that an entry of the manifest may have; a face has 22 and 4."""

_log = logging.getLogger(__name__)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ClaimedQuality(_Part):
    """The quality of a face as whoever wrote it says."""

    eye_distance: float
    sharpness: float
    brightness: float
    contrast: float
    yaw: float
    pitch: float
    roll: float
    confidence: float
    clarity: Annotated[float, Field(ge=0, le=1)]
    reasons: Annotated[tuple[str, ...], FailFast()] = ()


class _Face(_Part):
    crop: Annotated[str, Field(max_length=40)]
    source: Annotated[str, Field(max_length=10_000)]
    added_at: datetime
    quality: ClaimedQuality
    model_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    embedding: Annotated[tuple[float, ...], Field(min_length=1, max_length=4096), FailFast()]


class _Person(_Part):
    name: Annotated[str, Field(max_length=4 * LONGEST_NAME)]
    created_at: datetime
    faces: Annotated[tuple[_Face, ...], Field(min_length=1, max_length=MOST_FACES), FailFast()]


class _Manifest(_Part):
    format: Literal["facesecure-people"]
    version: Literal[1]
    written_at: datetime
    people: Annotated[tuple[_Person, ...], Field(max_length=MOST_PEOPLE), FailFast()]


@dataclass(frozen=True, slots=True)
class ArchivedPerson:
    """A person read from a file and not added yet: the aligned crops, with the quality that the file claims.

    ``sources`` says for each face where it came from.
    """

    name: str
    faces: tuple[AlignedFace, ...]
    sources: tuple[str, ...]


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
        archive.writestr(MANIFEST, manifest.model_dump_json(indent=1))
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
        quality=ClaimedQuality(**{name: getattr(face.quality, name) for name in ClaimedQuality.model_fields}),
        model_sha256=face.model_sha256,
        embedding=tuple(face.embedding.tolist()),
    )


def read_people(path: Path, passphrase: Callable[[], str], *, unencrypted: bool = False) -> list[ArchivedPerson]:
    """Read and check the people in a file; ``passphrase`` is called if the file is encrypted.

    A file that is not is read only if ``unencrypted`` is set. Raises UsageError if the file is missing, too large,
    damaged or not an export; FacesecureError if the passphrase is wrong.
    """
    try:
        data = _read(path)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", "give a file that `people export` wrote") from error
    try:
        entries = Entries(_opened(path, data, passphrase, unencrypted))
        manifest = _manifest(path, entries)
        return [_archived_person(entries, person) for person in manifest.people]
    except ValueError as error:
        raise _damaged(path, str(error)) from error


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise UsageError(f"{path} has more than {LARGEST_FILE / 1e6:.0f} MB, which no export has", "export it again")
    return data


def _opened(path: Path, data: bytes, passphrase: Callable[[], str], unencrypted: bool) -> bytes:
    """Return the zip, decrypted if necessary. Raises ValueError if it is damaged."""
    if is_encrypted(data):
        return _decrypted(path, data, passphrase)
    if data.startswith(b"PK\x03\x04"):
        if not unencrypted:
            raise UsageError(
                f"{path} is not encrypted: anyone who had it may have changed whose faces are in it",
                "if nobody else had it, repeat the command with --unencrypted; `people export` writes encrypted files",
            )
        _log.warning("%s is not encrypted: delete it, and export again if you need a copy", path)
    return data


def _decrypted(path: Path, data: bytes, passphrase: Callable[[], str]) -> bytes:
    try:
        return decrypt(data, passphrase())
    except WrongPassphrase as error:
        raise FacesecureError(
            f"the passphrase of {path} is wrong", "enter the one that was chosen at the export"
        ) from error


def _manifest(path: Path, entries: Entries) -> _Manifest:
    content = entries.read(MANIFEST, _LARGEST_MANIFEST)
    try:
        _require_few_values(content)
        data = json.loads(content)
        _check_version(path, data)
        manifest = _Manifest.model_validate(data)
    except ValidationError as error:
        raise ValueError(f"{MANIFEST}, {first_problem(error, _Manifest)}") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{MANIFEST}: {error}") from error
    _require_distinct(manifest)
    return manifest


def _require_few_values(content: bytes) -> None:
    """Raise ValueError if the manifest has more values than an export: its parser makes an object of each."""
    most = MOST_FACES + MOST_PEOPLE + 1
    if content.count(b'"') > 2 * _STRINGS * most or content.count(b"[") + content.count(b"{") > _LISTS * most:
        raise ValueError(f"it describes more than {MOST_FACES:,} faces")


def _require_distinct(manifest: _Manifest) -> None:
    """Raise ValueError if two people have the same name, or names that look the same, or there are too many faces."""
    names = dict[str, str]()
    for person in manifest.people:
        name = _name_of(person)
        seen = names.setdefault(skeleton(name_key(name)), name)
        if seen is not name:
            raise ValueError(f"two people in it are called {name!r}, or look so")
    if sum(len(person.faces) for person in manifest.people) > MOST_FACES:
        raise ValueError(f"it describes more than {MOST_FACES:,} faces")


def _name_of(person: _Person) -> str:
    try:
        return person_name(person.name)
    except UsageError as error:
        raise ValueError(error.message) from error


def _check_version(path: Path, data: object) -> None:
    version = data.get("version") if isinstance(data, dict) and data.get("format") == FORMAT else None
    if isinstance(version, int) and version > VERSION:
        raise UsageError(f"{path} was written by a newer facesecure", "upgrade facesecure and import it again")


def _archived_person(entries: Entries, person: _Person) -> ArchivedPerson:
    faces = tuple(_face(entries, face) for face in person.faces)
    return ArchivedPerson(_name_of(person), faces, tuple(one_line(face.source) for face in person.faces))


def _face(entries: Entries, entry: _Face) -> AlignedFace:
    try:
        image = decoded_crop(entries.read(entry.crop, LARGEST_CROP))
        return AlignedFace(image, Quality(**entry.quality.model_dump()))
    except ValueError as error:
        raise ValueError(f"{entry.crop}: {error}") from error


def decoded_crop(data: bytes) -> Image:
    """Decode a crop, which anybody may have made. Raises ValueError if it is not one as an export writes them."""
    if stored_size(data) != (112, 112):
        raise ValueError("not a PNG of 112x112 pixels")
    try:
        return photo_of(data, "its image")
    except ImageError as error:
        raise ValueError(error.message) from None


def _damaged(path: Path, why: str) -> UsageError:
    return UsageError(f"{path} is damaged, or not a file that `people export` wrote ({why})", "export it again")
