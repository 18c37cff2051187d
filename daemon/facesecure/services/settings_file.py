"""Change settings for the page: checked by the loader, shown as a difference, kept so that they can be taken back.

A configuration file that the daemon may write, as where facesecure is run by hand, is edited in place. Where it may
not, as the service's file in /etc, the settings go to a document of the state directory (``settings_overlay``).
"""

from __future__ import annotations

import difflib
import hashlib
import os
import stat
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from facesecure.config import FacesecureConfig
from facesecure.config.loader import Problem, SettingsFile, read_file, settings_of_text
from facesecure.config.paths import state_directory
from facesecure.config.secrets import learn_secrets
from facesecure.config.toml_edit import adds_camera, edited, value_at, with_values
from facesecure.config.toml_lines import KeyPath
from facesecure.config.wording import dotted, sentence
from facesecure.domain.errors import ConfigError, FacesecureError, StoreError
from facesecure.services import audit, settings_history, settings_overlay
from facesecure.services.config_check import checked
from facesecure.services.settings_allowed import MOST_CHANGES as MOST_CHANGES
from facesecure.services.settings_allowed import not_for_the_page
from facesecure.services.settings_history import History, Version
from facesecure.services.settings_overlay import PageSetting
from facesecure.services.settings_values import has_mask
from facesecure.storage.signed_documents import SignedDocuments
from facesecure.util.files import write_durably
from facesecure.util.redaction import redact
from facesecure.util.secret_patterns import HIDDEN

_LARGEST = 256 * 1024
"""Bytes of a configuration file that is changed here; the versions of it are kept."""
_CONTEXT = 2
"""Unchanged lines around each change that a difference shows."""

_changing = threading.RLock()


class StaleSettings(FacesecureError):
    """The settings were changed since they were read."""

    def __init__(self) -> None:
        super().__init__("the settings were changed since this page was opened", "look at them again, then save")


class SettingsRefused(ConfigError):
    """Settings that are wrong: ``found`` has each problem with the path of its setting."""

    def __init__(self, found: Sequence[Problem]) -> None:
        count = "one setting is" if len(found) == 1 else f"{len(found)} settings are"
        super().__init__(f"{count} wrong", tuple(sentence(one.path, one.text) for one in found), "correct them")
        self.found = tuple(found)


@dataclass(frozen=True, slots=True)
class Place:
    """Where settings are: the configuration file in use, if there is one, and the state directory.

    Example::

        change_settings(Place(Path("door.toml"), state_dir), {("policy", "quiet"): ["22:00-07:00"]})
    """

    config_file: Path | None
    state_dir: Path

    @property
    def edits_file(self) -> bool:
        """Whether the file is changed itself: it exists, and the daemon may replace it."""
        if self.config_file is None:
            return False
        path = self.config_file.resolve()
        return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK) and path.stat().st_uid == os.geteuid()


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings as they are on the disk: the text of the file, what was set on the page, and both together.

    ``revision`` is another after every change, whoever made it.
    """

    text: str
    page: tuple[PageSetting, ...]
    file: SettingsFile

    @property
    def revision(self) -> str:
        """A hash of all of it."""
        whole = repr((self.text, self.page)).encode(errors="surrogatepass")
        return hashlib.sha256(whole).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Change:
    """A change of settings: how the file looks before and after it, the names of the settings, and the revision after.

    The lines of ``diff`` have no secrets. ``in_file`` is whether the file itself is changed.
    """

    diff: str
    names: tuple[str, ...]
    revision: str
    in_file: bool


def read(place: Place) -> Settings:
    """Return the present settings. Raises ConfigError or StoreError if they cannot be read."""
    text = "" if place.config_file is None else read_file(place.config_file)
    if len(text) > _LARGEST:
        raise ConfigError(f"{place.config_file} is too large to be changed here", hint="change it in an editor")
    return _settings(place, text, settings_overlay.read(SignedDocuments(place.state_dir)))


def settings_of(config: FacesecureConfig) -> Settings:
    """Return the settings of ``config``, which is not a file's."""
    tables = config.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    return Settings("", (), SettingsFile(None, tables, {}))


def preview(place: Place, changes: Mapping[KeyPath, Any], revision: str | None = None) -> Change:
    """Return what ``change_settings`` would do, without doing it. Raises as it does."""
    before = _current(place, revision)
    return _change(place, before, _checked(place, before, changes), changes)


def change_settings(place: Place, changes: Mapping[KeyPath, Any], revision: str | None = None, by: str = "") -> Change:
    """Change settings by their paths, of cameras such as ("cameras", 0, "fps"); None takes back what was set.

    ``revision`` is that of the settings that ``changes`` were made from; ``by`` the name of who makes them.
    Raises StaleSettings if it is another by now, SettingsRefused with everything that is wrong, ConfigError if the file
    cannot be changed, and StoreError if nothing can be written.
    """
    with _changing:
        before = _current(place, revision)
        after = _checked(place, before, changes)
        change = _change(place, before, after, changes)
        if change.diff:
            file = before.text if after.text != before.text else None
            version = Version(datetime.now(UTC), by, change.names, after.revision, before.page, file)
            _write(place, before, after, _history(place).adding(version))
            audit.record(place.state_dir, "settings-changed", *change.names)
    return change


def undo(place: Place, revision: str | None = None, failed: Exception | None = None) -> Change:
    """Take the last change back. ``failed`` is why, if the daemon could not start with it.

    Raises StaleSettings if the settings are not those that it left, ConfigError if there is none.
    """
    with _changing:
        before, history = _current(place, revision), _history(place)
        if not history.versions:
            raise ConfigError("there is no change that could be taken back")
        last = history.versions[-1]
        if last.after != before.revision:
            raise StaleSettings
        after = _settings(place, before.text if last.file is None else last.file, last.page)
        rejected = None if failed is None else settings_history.rejected_now(last.names, failed)
        _write(place, before, after, history.without_last(rejected))
        action = "settings-undone" if failed is None else "settings-rolled-back"
        audit.record(place.state_dir, action, *last.names)
    return Change(_difference(before, after), last.names, after.revision, last.file is not None)


def history(place: Place) -> History:
    """Return what can be taken back; nothing if that cannot be read."""
    return _history(place)


def revert(place: Place, names: Sequence[str] = ()) -> list[str]:
    """Forget what was set on the page, of ``names`` only if there are any; return the names of what was forgotten."""
    with _changing:
        before = read(place)
        kept = tuple(one for one in before.page if names and ".".join(one.place) not in names)
        gone = [".".join(one.place) for one in before.page if one not in kept]
        if gone:
            after = _settings(place, before.text, kept)
            version = Version(datetime.now(UTC), "", tuple(gone), after.revision, before.page)
            _write(place, before, after, _history(place).adding(version))
            audit.record(place.state_dir, "settings-changed", *gone)
    return gone


def merged(place: Place) -> str:
    """Return the text of the configuration file with what was set on the page in it."""
    return _as_one(read(place))


def _current(place: Place, revision: str | None) -> Settings:
    found = read(place)
    if revision is not None and revision != found.revision:
        raise StaleSettings
    return found


def _settings(place: Place, text: str, page: Sequence[PageSetting]) -> Settings:
    file = settings_of_text(text, place.config_file, page=lambda tables: settings_overlay.values(page, tables))
    return Settings(text, tuple(page), file)


def _checked(place: Place, before: Settings, changes: Mapping[KeyPath, Any]) -> Settings:
    """Return the settings after ``changes``. Raises SettingsRefused with all that is wrong with them."""
    if before.file.syntax:
        raise ConfigError(f"{place.config_file} is not valid TOML", hint="mend it: facesecure config check")
    if problems := not_for_the_page(before.file.tables, changes):
        raise SettingsRefused(problems)
    learn_secrets({str(path[-1]): value for path, value in changes.items()})
    after = _after(place, before, changes)
    config, found = checked(after.file, lambda config: state_directory(config, place.state_dir))
    if config is None or found:
        _, known = checked(before.file, lambda config: state_directory(config, place.state_dir))
        new = [problem for problem in found if problem not in known]
        if new or config is None:
            raise SettingsRefused(list(dict.fromkeys(new or found)))
    return after


def _after(place: Place, before: Settings, changes: Mapping[KeyPath, Any]) -> Settings:
    real = {path: value for path, value in changes.items() if not has_mask(value)}  # a mask that is left: no change
    adding = any(map(adds_camera, real))
    after = with_values(before.file.tables, real.items())
    places = {settings_overlay.placed(path, after): value for path, value in real.items()}
    own = settings_overlay.beside(before.page, before.file.tables) if adding else before.page
    kept = tuple(one for one in own if one.place not in places)
    if place.edits_file:
        return _settings(place, edited(before.text, real.items()), kept)
    new = (PageSetting(where, value) for where, value in places.items() if value is not None)
    page = sorted((*kept, *new), key=lambda one: one.place)
    return _settings(place, before.text, page)


def _change(place: Place, before: Settings, after: Settings, changes: Mapping[KeyPath, Any]) -> Change:
    names = tuple(
        dotted(path) for path in changes if value_at(before.file.tables, path) != value_at(after.file.tables, path)
    )
    return Change(_difference(before, after), names, after.revision, place.edits_file)


def _difference(before: Settings, after: Settings) -> str:
    """Return the unified difference of the file with the settings of the page in it, without secrets."""
    old, new = (redact(_as_one(one)).splitlines() for one in (before, after))
    shown = list(difflib.unified_diff(old, new, n=_CONTEXT, lineterm=""))[2:]
    if not shown and before.revision != after.revision:
        shown = [f"  ({HIDDEN})"]
    return "\n".join(shown)


def _as_one(settings: Settings) -> str:
    alone = settings_of_text(settings.text, None).tables
    return edited(settings.text, settings_overlay.values(settings.page, alone))


def _history(place: Place) -> History:
    try:
        return settings_history.read(SignedDocuments(place.state_dir))
    except StoreError:  # `doctor` shows why; a change can be made all the same
        return History()


def _write(place: Place, before: Settings, after: Settings, history: History) -> None:
    """Write what has changed from ``before`` to ``after``, with ``history`` first. Raises StoreError."""
    documents = SignedDocuments(place.state_dir)
    try:
        settings_history.write(documents, history)
        if after.page != before.page:
            documents.write(settings_overlay.FILE_NAME, settings_overlay.document(after.page))
        if after.text != before.text and place.config_file is not None:
            _replace(place.config_file.resolve(), after.text)
    except OSError as error:
        hint = "check who owns it, and the free space on its disk"
        raise StoreError(f"the settings cannot be written: {error.filename}: {error.strerror}", hint) from error


def _replace(path: Path, text: str) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    write_durably(path, text.encode())
    path.chmod(mode)
