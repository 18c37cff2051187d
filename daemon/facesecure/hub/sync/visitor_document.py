"""What a door says of visitors whose number begins alike: what it has seen of them, and who is no visitor any more.

Whatever is read here was written by another door and is hostile until it is checked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, FailFast, Field, ValidationError

from facesecure.hub.sync.embedding_text import LONGEST, embedding_from_text, embedding_text
from facesecure.recognition.visitor_matching import VisitEmbedding
from facesecure.storage.shared_visitors import VisitorPart

PART_DIGITS = 3
"""Digits that the numbers of visitors of one document have in common: a door writes at most 4,096 documents."""
MOST_PARTS = 16
MOST_GONE = 64
MOST_LOOKS = 8
"""Visits of one visitor whose looks are shared, the latest."""
_MOST_VISITS = 1_000_000
_UID = re.compile(r"[0-9a-f]{32}")
_FIRST = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class VisitorDocument:
    """``parts`` are what the door has seen, with looks by ``model_sha256``.

    ``forgotten`` are visitors whom all doors are to forget, ``same`` says of others who they turned out to be.
    """

    model_sha256: str = ""
    parts: tuple[VisitorPart, ...] = ()
    forgotten: tuple[str, ...] = ()
    same: Mapping[str, str] = field(default_factory=dict)

    def encode(self) -> bytes:
        """Return the document as bytes; equal documents give equal bytes."""
        parts = [
            _Part(
                uid=part.uid, first=part.first_seen, last=part.last_seen, visits=part.visits, person=part.person,
                looks=tuple(_Look(clarity=one.clarity, embedding=embedding_text(one.mean)) for one in part.looks),
            )
            for part in sorted(self.parts, key=lambda one: one.uid)
        ]  # fmt: skip
        same = dict(sorted(self.same.items()))
        document = _Document(model=self.model_sha256, parts=tuple(parts), forgotten=self.forgotten, same=same)
        return document.model_dump_json().encode()

    @staticmethod
    def decode(plain: bytes, begin: str, now: datetime) -> VisitorDocument:
        """Return the document that ``encode`` made bytes of, of visitors that ``begin`` so; nothing is after ``now``.

        Raises ValueError for anything else.
        """
        try:
            found = _Document.model_validate_json(plain)
        except ValidationError as error:
            where = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
            raise ValueError(f"the document cannot be understood: {where[:100]!r}") from None
        uids = [*(one.uid for one in found.parts), *found.forgotten, *found.same]
        if not all(uid.startswith(begin) for uid in uids) or len({one.uid for one in found.parts}) < len(found.parts):
            raise ValueError("it is of other visitors, or of one twice")
        if any(kept >= gone for gone, kept in found.same.items()):
            raise ValueError("of two visitors not the lower one is kept")
        parts = tuple(_checked(one, now) for one in found.parts)
        if len({look.mean.size for part in parts for look in part.looks}) > 1:
            raise ValueError("its embeddings are of several models")
        return VisitorDocument(found.model, parts, found.forgotten, found.same)


def may_be_told(part: VisitorPart) -> bool:
    """Return whether other doors would believe a part: not if the database here was damaged."""
    sound = _UID.fullmatch(part.uid) is not None and 1 <= part.visits <= _MOST_VISITS
    return sound and _FIRST <= part.first_seen <= part.last_seen


def may_be_gone(uid: str) -> bool:
    """Return whether other doors would believe that ``uid`` is a visitor."""
    return _UID.fullmatch(uid) is not None


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


Uid = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class _Look(_Strict):
    clarity: Annotated[float, Field(ge=0, le=1)]
    embedding: Annotated[str, Field(max_length=LONGEST)]


class _Part(_Strict):
    uid: Uid
    first: AwareDatetime
    last: AwareDatetime
    visits: Annotated[int, Field(ge=1, le=_MOST_VISITS, strict=True)]
    person: Uid | None = None
    looks: Annotated[tuple[_Look, ...], Field(max_length=MOST_LOOKS), FailFast()]


class _Document(_Strict):
    format: Literal[1] = 1
    model: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]
    parts: Annotated[tuple[_Part, ...], Field(max_length=MOST_PARTS), FailFast()] = ()
    forgotten: Annotated[tuple[Uid, ...], Field(max_length=MOST_GONE)] = ()
    same: Annotated[dict[Uid, Uid], Field(max_length=MOST_GONE)] = {}


def _checked(part: _Part, now: datetime) -> VisitorPart:
    """Return a part with embeddings; a clock that is fast moves nothing into the future."""
    first, last = min(part.first.astimezone(UTC), now), min(part.last.astimezone(UTC), now)
    if not _FIRST <= first <= last:
        raise ValueError("its times cannot be")
    looks = tuple(VisitEmbedding(embedding_from_text(one.embedding), one.clarity) for one in part.looks)
    return VisitorPart(part.uid, first, last, part.visits, looks, part.person)
