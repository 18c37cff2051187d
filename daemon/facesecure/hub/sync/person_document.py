"""The document of a person: the name, the faces as crops, and which doors may know them.

No embedding and no template is in it: every door makes its own, with its own model, and judges the crops as those of
an export. Whatever is read here was written by another door and is hostile until it is checked.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, FailFast, Field, ValidationError

from facesecure.domain import AlignedFace, Image, Quality
from facesecure.domain.errors import UsageError
from facesecure.domain.names import LONGEST_NAME, person_name
from facesecure.domain.records import EnrolledFace
from facesecure.hub.errors import NotGenuineError
from facesecure.hub.rows import require_identifiers
from facesecure.storage.archive import LARGEST_CROP, ClaimedQuality, decoded_crop
from facesecure.util.plain_text import one_line
from facesecure.vision.images.codec import png_bytes

MOST_FACES = 64
"""Faces of a person that are shared. As many uncompressed crops fit into a document."""
_MOST_DOORS = 1000
_LONGEST_SOURCE = 200
_DIGEST = 24


@dataclass(frozen=True, slots=True)
class SharedFace:
    """A face as it travels: the crop as PNG, its quality as its door measured it, and where it came from."""

    png: bytes
    quality: Quality
    source: str
    added_at: datetime

    def aligned(self) -> AlignedFace:
        """Return the crop, decoded. Raises NotGenuineError if it is no crop."""
        try:
            return AlignedFace(decoded_crop(self.png), self.quality)
        except ValueError as error:
            raise NotGenuineError(f"a face in it cannot be used: {error}") from None


@dataclass(frozen=True, slots=True)
class PersonDocument:
    """A person as the doors share them.

    ``named_at`` is when they got this name, in seconds of the hub's time. ``faces`` are by ``face_id``. ``doors`` may
    know the person besides the author; None: all doors of the household.
    """

    name: str
    named_at: float
    faces: Mapping[str, SharedFace]
    doors: tuple[str, ...] | None = None

    def encode(self) -> bytes:
        """Return the document as bytes; equal documents give equal bytes."""
        faces = [
            _Face(
                crop=base64.b64encode(face.png).decode(),
                quality=ClaimedQuality(**asdict(face.quality)),
                source=face.source[:_LONGEST_SOURCE],
                added_at=face.added_at,
            )
            for _, face in sorted(self.faces.items())
        ]
        document = _Document(name=self.name, named_at=self.named_at, faces=tuple(faces), doors=self.doors)
        return document.model_dump_json().encode()

    @staticmethod
    def decode(plain: bytes) -> PersonDocument:
        """Return the document that ``encode`` made bytes of. Raises NotGenuineError for anything else."""
        try:
            return _checked(_Document.model_validate_json(plain))
        except ValidationError as error:
            where = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
            raise NotGenuineError(f"the document cannot be understood: {where[:100]!r}") from None
        except (ValueError, UsageError) as error:
            raise NotGenuineError(f"the document cannot be used: {error}") from None


def face_id(image: Image) -> str:
    """Return what identifies a face at all doors: 96 bits of the SHA-256 of its pixels."""
    return sha256(image.tobytes()).hexdigest()[:_DIGEST]


def shared_face(face: EnrolledFace) -> SharedFace:
    """Return ``face`` as it travels."""
    return SharedFace(png_bytes(face.image), face.quality, one_line(face.source, _LONGEST_SOURCE), face.added_at)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class _Face(_Part):
    crop: Annotated[str, Field(min_length=1, max_length=LARGEST_CROP * 4 // 3 + 4)]
    quality: ClaimedQuality
    source: Annotated[str, Field(max_length=_LONGEST_SOURCE)]
    added_at: datetime


class _Document(_Part):
    format: Literal[1] = 1
    name: Annotated[str, Field(max_length=4 * LONGEST_NAME)]
    named_at: Annotated[float, Field(ge=0, le=1e11)]
    faces: Annotated[tuple[_Face, ...], Field(min_length=1, max_length=MOST_FACES), FailFast()]
    doors: Annotated[tuple[Annotated[str, Field(max_length=32)], ...], Field(max_length=_MOST_DOORS)] | None = None


def _checked(document: _Document) -> PersonDocument:
    if person_name(document.name) != document.name:
        raise ValueError("the name is not written as names are")
    require_identifiers(*(document.doors or ()))
    faces = [_shared(face) for face in document.faces]
    by_id = {face_id(face.aligned().image): face for face in faces}
    return PersonDocument(document.name, document.named_at, by_id, document.doors)


def _shared(face: _Face) -> SharedFace:
    png = base64.b64decode(face.crop, validate=True)
    return SharedFace(png, Quality(**face.quality.model_dump()), one_line(face.source, _LONGEST_SOURCE), face.added_at)
