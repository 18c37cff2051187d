"""Refuse what is not there as missing, so that the page says so with the right status."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from facesecure.app.web_api.protocol import Refusal
from facesecure.app.web_api.verb import Refused
from facesecure.domain.errors import UsageError


@contextmanager
def missing() -> Iterator[None]:
    """Convert a UsageError of the block: its hint names commands, which do not help on a page."""
    try:
        yield
    except UsageError as error:
        raise Refused(Refusal.MISSING, error.message) from error


@contextmanager
def invalid(argument: str) -> Iterator[None]:
    """Convert a UsageError of the block into one about ``argument``."""
    try:
        yield
    except UsageError as error:
        raise Refused(Refusal.INVALID, error.message, argument=argument) from error
