"""Sign what a door writes to the hub, and check what others wrote.

A signature covers the place of the row (estate, kind, identifier, version), its household, its author and its document,
or that it was removed. A wrapped key is signed for a purpose of its own, so that neither stands in for the other.
"""

from __future__ import annotations

from hashlib import sha256

from facesecure.hub.identity import Authority, Certificate, DoorKeys, require_signature
from facesecure.hub.sealing import Place, unambiguous


def sign_document(keys: DoorKeys, place: Place, household: str, author: str, document: bytes | None) -> bytes:
    """Return the signature of a sealed document, or with None of its removal (a tombstone)."""
    return keys.sign(_document(place, household, author, document))


def check_document(author: Certificate, signature: bytes, place: Place, household: str, document: bytes | None) -> None:
    """Raise NotGenuineError unless ``author`` signed this document, or its removal, for this place and household."""
    require_signature(author.sign_key, signature, _document(place, household, author.door, document))


def sign_wrapped(keys: DoorKeys | Authority, place: Place, author: str, wrapped: bytes) -> bytes:
    """Return the signature of a wrapped key: a person's with the door's keys, a household's with the authority."""
    return keys.sign(_wrapped(place, author, wrapped))


def check_wrapped(sign_key: bytes, signature: bytes, place: Place, author: str, wrapped: bytes) -> None:
    """Raise NotGenuineError unless the owner of ``sign_key`` signed this wrapped key for this place.

    For a person's key that is the author's certificate's ``sign_key``, for a household's the authority's public key.
    """
    require_signature(sign_key, signature, _wrapped(place, author, wrapped))


def _document(place: Place, household: str, author: str, document: bytes | None) -> bytes:
    content = b"removed" if document is None else sha256(document).digest()
    state = "removal" if document is None else "document"
    return unambiguous(place.bound(f"signed {state}"), household, author, content)


def _wrapped(place: Place, author: str, wrapped: bytes) -> bytes:
    return unambiguous(place.bound("signed key"), author, sha256(wrapped).digest())
