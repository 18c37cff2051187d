"""The settings as they were before each of the last changes, to take changes back.

Kept in STATE_DIR/settings-history.json, signed and readable by the service alone: a configuration file holds passwords.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from facesecure.domain.errors import StoreError
from facesecure.services.settings_overlay import PageSetting
from facesecure.services.settings_overlay import document as overlay_document
from facesecure.storage.signed_documents import SignedDocuments
from facesecure.util.redaction import bounded

FILE_NAME = "settings-history.json"
MOST_KEPT = 20
_VERSION = 1
_LONGEST_ERROR = 2000


@dataclass(frozen=True, slots=True)
class Version:
    """The settings before a change: who made it and when, the names of what it changed, and the revision after it.

    ``file`` is the text of the configuration file, None if it was not changed; ``page`` what had been set on the page.
    """

    at: datetime
    by: str
    names: tuple[str, ...]
    after: str
    page: tuple[PageSetting, ...]
    file: str | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A change that was taken back because the daemon did not start with it: when, what it changed, and the error."""

    at: datetime
    names: tuple[str, ...]
    error: str


@dataclass(frozen=True, slots=True)
class History:
    """The last versions, the newest last, and the change that was rejected, if no other was made since.

    ``on_trial``: the daemon has not started yet with the last change.
    """

    versions: tuple[Version, ...] = ()
    rejected: Rejected | None = None
    on_trial: bool = False

    def adding(self, version: Version) -> History:
        """Return the history with ``version``, without the oldest if there are too many."""
        return History((*self.versions, version)[-MOST_KEPT:])

    def without_last(self, rejected: Rejected | None = None) -> History:
        """Return the history without the newest version; ``rejected`` says that it did not work."""
        return History(self.versions[:-1], rejected)


def read(documents: SignedDocuments) -> History:
    """Return the history; an empty one if there is none. Raises StoreError if it is not as facesecure wrote it."""
    try:
        found = documents.read(FILE_NAME)
        if found["version"] != _VERSION:
            raise ValueError(f"its version is {found['version']!r}, not {_VERSION}")
        rejected = found["rejected"]
        versions, on_trial = tuple(map(_version, found["versions"])), bool(found.get("on_trial"))
        return History(versions, None if rejected is None else _rejected(rejected), on_trial)
    except FileNotFoundError:
        return History()
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{documents.folder / FILE_NAME} cannot be understood ({error})", "remove it") from error


def write(documents: SignedDocuments, history: History) -> None:
    """Write ``history``. Raises OSError or StoreError."""
    rejected = history.rejected
    documents.write(
        FILE_NAME,
        {
            "version": _VERSION,
            "versions": [_as_json(version) for version in history.versions],
            "rejected": rejected
            and {"at": rejected.at.isoformat(), "names": list(rejected.names), "error": rejected.error},
            "on_trial": history.on_trial,
        },
    )


def rejected_now(names: Iterable[str], error: Exception) -> Rejected:
    """Return that a change of the settings called ``names`` was taken back just now because of ``error``."""
    return Rejected(datetime.now(UTC), tuple(names), bounded(str(error), _LONGEST_ERROR))


def _as_json(version: Version) -> dict[str, Any]:
    return {
        "at": version.at.isoformat(),
        "by": version.by,
        "names": list(version.names),
        "after": version.after,
        "file": version.file,
        "page": overlay_document(version.page)["values"],
    }


def _version(found: Mapping[str, Any]) -> Version:
    page = tuple(PageSetting(tuple(map(str, one["place"])), one["value"]) for one in found["page"])
    at, names = datetime.fromisoformat(found["at"]), tuple(map(str, found["names"]))
    return Version(at, str(found["by"]), names, str(found["after"]), page, found["file"])


def _rejected(found: Mapping[str, Any]) -> Rejected:
    at, names = datetime.fromisoformat(found["at"]), tuple(map(str, found["names"]))
    return Rejected(at, names, str(found["error"]))
