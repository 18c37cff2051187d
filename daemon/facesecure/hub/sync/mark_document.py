"""The document of marked faces: crops of one visit, and who they are not.

No embedding is in it: every door makes its own. Whatever is read here was written by another door and is hostile until
it is checked.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, FailFast, Field, ValidationError

from facesecure.domain import AlignedFace, Quality
from facesecure.storage.archive import LARGEST_CROP, ClaimedQuality, decoded_crop
from facesecure.storage.shared_marks import MarkedCrop

MOST_FACES = 8
"""Faces of one mark that are shared."""

Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


@dataclass(frozen=True, slots=True)
class MarkDocument:
    """Faces of ``visitor`` that are not ``person`` (both as the hub knows them), or nobody's who is enrolled."""

    visitor: str
    person: str | None
    faces: tuple[MarkedCrop, ...]

    def encode(self) -> bytes:
        """Return the document as bytes; equal documents give equal bytes."""
        faces = [
            _Face(
                crop=base64.b64encode(face.png).decode(),
                quality=ClaimedQuality(**asdict(face.quality)),
                taken_at=face.taken_at,
            )
            for face in self.faces
        ]
        return _Document(visitor=self.visitor, person=self.person, faces=tuple(faces)).model_dump_json().encode()

    @staticmethod
    def decode(plain: bytes) -> MarkDocument:
        """Return the document that ``encode`` made bytes of. Raises ValueError for anything else."""
        try:
            found = _Document.model_validate_json(plain)
        except ValidationError as error:
            where = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
            raise ValueError(f"the document cannot be understood: {where[:100]!r}") from None
        document = MarkDocument(found.visitor, found.person, tuple(_crop(face) for face in found.faces))
        aligned(document.faces)
        return document


def aligned(faces: Sequence[MarkedCrop]) -> list[AlignedFace]:
    """Return the crops, decoded. Raises ValueError if one is none."""
    return [AlignedFace(decoded_crop(face.png), face.quality) for face in faces]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class _Face(_Part):
    crop: Annotated[str, Field(min_length=1, max_length=LARGEST_CROP * 4 // 3 + 4)]
    quality: ClaimedQuality
    taken_at: AwareDatetime


class _Document(_Part):
    format: Literal[1] = 1
    visitor: Hex
    person: Hex | None = None
    faces: Annotated[tuple[_Face, ...], Field(min_length=1, max_length=MOST_FACES), FailFast()]


def _crop(face: _Face) -> MarkedCrop:
    png = base64.b64decode(face.crop, validate=True)
    taken_at = min(face.taken_at.astimezone(UTC), datetime.now(UTC))
    return MarkedCrop(png, Quality(**face.quality.model_dump()), taken_at)
