"""Ask which version of facesecure is the newest, at most once a day, and remember the answer.

Off unless [updates] says otherwise. Of the answer only the version is used, compared and shown: no text, no address and
no file of it. Nothing is ever downloaded or installed. What was learned is kept in STATE_DIR/updates.json, signed, so
that a daemon that restarts again and again asks no more often.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError, URLError

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from facesecure import __version__
from facesecure.config.updates import UpdatesConfig
from facesecure.domain.errors import FacesecureError, StoreError
from facesecure.storage.signed_documents import SignedDocuments
from facesecure.util.https import InsecureAddressError, Limits, open_https
from facesecure.util.versions import LONGEST, Version, parse_version

FILE_NAME = "updates.json"
LARGEST = 512 * 1024
"""Bytes of an answer; a feed of thirty releases takes some 150,000."""
DAY = timedelta(days=1)
MOST_JITTER = timedelta(hours=4)
"""Added to the day at random, so that not every house asks at the same time."""
_LIMITS = Limits(silence=10, total=30, redirects=0)
_MOST_RELEASES = 200
_HEADERS = {"Accept": "application/json", "User-Agent": "facesecure"}


class UpdateError(FacesecureError):
    """It is not known which version is the newest."""


class _Release(BaseModel):
    """What is read of a release; a feed may say more."""

    model_config = ConfigDict(strict=True)
    version: str | None = Field(None, max_length=LONGEST)
    tag_name: str | None = Field(None, max_length=LONGEST)
    draft: bool = False
    prerelease: bool = False

    @property
    def offered(self) -> Version | None:
        """The version, None if it is no release for everybody."""
        found = parse_version(self.version or self.tag_name or "")
        return found if found and found.final and not (self.draft or self.prerelease) else None

    @property
    def name(self) -> str:
        """The version as it is written, without the v of a tag."""
        return (self.version or self.tag_name or "").removeprefix("v")


_Releases = list[_Release]
_ANSWER: TypeAdapter[_Release | _Releases] = TypeAdapter(_Release | _Releases)


@dataclass(frozen=True, slots=True)
class Updates:
    """What is known: the newest version that was offered, when it was asked for last, and what went wrong then."""

    latest: str | None = None
    asked_at: datetime | None = None
    ask_again_at: datetime | None = None
    problem: str = ""

    @property
    def newer(self) -> str | None:
        """The newest version, if it is newer than this facesecure."""
        latest, installed = parse_version(self.latest or ""), parse_version(__version__)
        return self.latest if latest and installed and latest > installed else None

    def due(self, now: datetime) -> bool:
        """Return whether to ask now; also after the clock was set back by days."""
        again = self.ask_again_at
        return again is None or not now < again <= now + DAY + MOST_JITTER


def newest_version(url: str, *, trust: str | None = None, limits: Limits = _LIMITS) -> str:
    """Return the newest version that ``url`` offers to everybody. Raises UpdateError.

    ``trust``: see ``open_https``. No other host is asked: a redirect is an error.
    """
    try:
        with open_https(url, limits, _HEADERS, trust=trust) as response:
            return _newest(_body(response))
    except HTTPError as error:
        error.close()
        raise UpdateError(_status(error.code), "check url in [updates]") from None
    except (OSError, HTTPException, ValueError) as error:
        raise UpdateError(f"the server cannot be asked: {_reason(error)}", "it is asked again tomorrow") from None


def known_updates(config: UpdatesConfig, state_dir: Path) -> Updates:
    """Return what was learned from the address in ``config``; nothing if that cannot be read."""
    try:
        found = SignedDocuments(state_dir).read(FILE_NAME)
        if found["source"] != _source(config):
            return Updates()
        latest = found["latest"] if found["latest"] and parse_version(str(found["latest"])) else None
        asked, again = (datetime.fromisoformat(found[name]).astimezone(UTC) for name in ("asked_at", "ask_again_at"))
        return Updates(latest, asked, again, str(found["problem"]))
    except (FileNotFoundError, StoreError, KeyError, TypeError, ValueError, OverflowError):
        return Updates()


def look(
    config: UpdatesConfig,
    state_dir: Path,
    before: Updates,
    now: datetime,
    ask: Callable[[str], str] = newest_version,
    random_share: Callable[[], float] = random.random,
) -> Updates:
    """Ask for the newest version, and return and keep what is known then. Raises StoreError or OSError.

    The time of the next question is on the disk before this one is asked: a daemon that is killed meanwhile must not
    ask again at its start.
    """
    assert config.url is not None, "a configuration with check = true has one"
    again = now + DAY + random_share() * MOST_JITTER
    asking = replace(before, asked_at=now, ask_again_at=again, problem="the answer did not come")
    _keep(config, state_dir, asking)
    try:
        found = replace(asking, latest=ask(config.url), problem="")
    except UpdateError as error:
        found = replace(asking, problem=error.message)
    _keep(config, state_dir, found)
    return found


def _keep(config: UpdatesConfig, state_dir: Path, updates: Updates) -> None:
    assert updates.asked_at is not None
    assert updates.ask_again_at is not None
    document = {
        "source": _source(config),
        "latest": updates.latest,
        "asked_at": updates.asked_at.isoformat(),
        "ask_again_at": updates.ask_again_at.isoformat(),
        "problem": updates.problem,
    }
    SignedDocuments(state_dir).write(FILE_NAME, document)


def _source(config: UpdatesConfig) -> str:
    """Return which address was asked, without the address: it may hold a secret."""
    return hashlib.sha256((config.url or "").encode()).hexdigest()[:16]


def _body(response: HTTPResponse) -> bytes:
    body = response.read(LARGEST + 1)
    if len(body) > LARGEST:
        raise UpdateError(f"the answer is larger than {LARGEST // 1024} kB", "check url in [updates]")
    return body


def _newest(body: bytes) -> str:
    """Return the newest version for everybody in the JSON ``body``. Raises UpdateError."""
    try:
        answer = _ANSWER.validate_json(body)
    except ValidationError:
        raise UpdateError("the answer names no version", "check url in [updates]") from None
    releases = answer if isinstance(answer, list) else [answer]
    offered = dict(_offered(releases[:_MOST_RELEASES]))
    if not offered:
        raise UpdateError("the answer offers no version for everybody", "check url in [updates]")
    return offered[max(offered)]


def _offered(releases: _Releases) -> Iterator[tuple[Version, str]]:
    for release in releases:
        if (version := release.offered) is not None:
            yield version, release.name


def _status(code: int) -> str:
    return "the server redirects, which is not followed" if 300 <= code < 400 else f"the server answered {code}"


def _reason(error: Exception) -> str:
    """Return the reason without the address, nor anything that the server said."""
    inner = error.reason if isinstance(error, URLError) and isinstance(error.reason, Exception) else error
    if isinstance(inner, InsecureAddressError):
        return "its address is not https"
    if isinstance(inner, TimeoutError):
        return "it takes too long"
    return inner.strerror if isinstance(inner, OSError) and inner.strerror else type(inner).__name__
