"""The settings that were made on the page, where the daemon may not write its configuration file.

The service's file belongs to root, and the daemon cannot write it. So what is changed on the page is kept in
STATE_DIR/settings.json, signed with the key, and read after the file. Only settings that the page may change count,
even if somebody who has the key put others there: this document cannot make facesecure run, read or write anything.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facesecure.config import FacesecureConfig
from facesecure.config.changeable import camera_problem, locked, value_problem
from facesecure.config.loader import load_config, read_settings, validated
from facesecure.config.paths import state_directory
from facesecure.config.secrets import learn_secrets
from facesecure.config.toml_edit import value_at, with_values
from facesecure.config.toml_lines import KeyPath
from facesecure.domain.errors import StoreError
from facesecure.domain.names import camera_key
from facesecure.storage.signed_documents import SignedDocuments

FILE_NAME = "settings.json"
_VERSION = 1
_DEFAULT_CAMERA = "front door"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PageSetting:
    """A setting that was made on the page: its place, in which a camera stands by its name, and its value.

    Example::

        PageSetting(("cameras", "garden gate", "fps"), 5.0)
        PageSetting(("cameras", "garden gate"), {"name": "garden gate", "source": "rtsp://..."})  # a camera of the page
    """

    place: tuple[str, ...]
    value: Any


def read(documents: SignedDocuments) -> tuple[PageSetting, ...]:
    """Return the settings that were made on the page. Raises StoreError if they are not as facesecure wrote them."""
    try:
        found = documents.read(FILE_NAME)
        if found["version"] != _VERSION:
            raise ValueError(f"its version is {found['version']!r}, not {_VERSION}")
        return tuple(PageSetting(tuple(map(str, one["place"])), one["value"]) for one in found["values"])
    except FileNotFoundError:
        return ()
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{documents.folder / FILE_NAME} cannot be understood ({error})", "remove it") from error


def document(settings: Iterable[PageSetting]) -> dict[str, Any]:
    """Return ``settings`` as the document that ``read`` reads."""
    return {"version": _VERSION, "values": [{"place": list(one.place), "value": one.value} for one in settings]}


def placed(path: KeyPath, tables: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the place of the setting at ``path``: a camera in [[cameras]] stands there by its name."""
    if path[0] == "cameras":
        name = value_at(tables, (*path[:2], "name"))
        return ("cameras", camera_key(str(name or _DEFAULT_CAMERA)), *map(str, path[2:]))
    return tuple(map(str, path))


def path_of(place: Sequence[str], tables: Mapping[str, Any]) -> KeyPath | None:
    """Return the path in ``tables`` of the setting at ``place``; None if there is no such camera any more."""
    if place[:1] != ("cameras",):
        stands_alone = place[:1] == ("camera",) and tables.get("cameras")
        return None if stands_alone else tuple(place)
    cameras = tables.get("cameras")
    if not cameras and _key_of(tables.get("camera")) == place[1]:  # the camera beside it was taken back
        return ("camera", *place[2:])
    for number, camera in enumerate(cameras if isinstance(cameras, list) else ()):
        if _key_of(camera) == place[1]:
            return ("cameras", number, *place[2:])
    return None


def _key_of(camera: Any) -> str | None:
    name = {} if camera is None else camera
    return camera_key(str(name.get("name", _DEFAULT_CAMERA))) if isinstance(name, Mapping) else None


def camera_called(tables: Mapping[str, Any], name: str) -> str | None:
    """Return the name of the camera in ``tables`` that is called ``name``, however it is spelled; None if none is."""
    cameras = tables.get("cameras") or [tables.get("camera", {})]
    keys = map(_key_of, cameras if isinstance(cameras, list) else ())
    return next((key for key in keys if key is not None and key == camera_key(name)), None)


def beside(settings: Iterable[PageSetting], tables: Mapping[str, Any]) -> list[PageSetting]:
    """Return ``settings`` of [camera] as those of the first of several, when another is added to ``tables``."""
    key = _key_of(tables.get("camera"))
    if tables.get("cameras") or key is None:
        return list(settings)
    return [
        PageSetting(("cameras", key, *one.place[1:]), one.value) if one.place[:1] == ("camera",) else one
        for one in settings
    ]


def values(settings: Iterable[PageSetting], tables: Mapping[str, Any]) -> Iterator[tuple[KeyPath, Any]]:
    """Yield path and value of those of ``settings`` that count beside the ``tables`` of the file; log the others."""
    settings, known = list(settings), dict(tables)
    for one in settings:
        if _is_camera(one) and (change := _added_camera(one, known)) is not None:
            known = with_values(known, [change])
            yield change
    for one in settings:
        if _is_camera(one):
            continue
        path = path_of(one.place, known) if len(one.place) > 1 else None
        why = "there is no such camera" if path is None else locked(path) or value_problem(path, one.value)
        if path is None or why is not None:
            _log.warning("a setting made on the page is not used: %s: %s", ".".join(one.place), why)
            continue
        learn_secrets({str(path[-1]): one.value})
        yield path, one.value


def _is_camera(setting: PageSetting) -> bool:
    return len(setting.place) == 2 and setting.place[0] == "cameras"


def _added_camera(setting: PageSetting, tables: Mapping[str, Any]) -> tuple[KeyPath, Any] | None:
    """Return the change that adds a camera of the page; None, with a warning, if it may not be added."""
    cameras = tables.get("cameras") or [tables.get("camera", {})]
    path: KeyPath = ("cameras", len(cameras) if isinstance(cameras, list) else 0)
    problem = camera_problem(path, setting.value)
    why = None if problem is None else problem[1]
    if camera_called(tables, setting.place[1]) is not None:
        why = "the file has a camera of this name"
    if why is not None:
        _log.warning("a camera added on the page is not used: %s: %s", setting.place[1], why)
        return None
    learn_secrets(setting.value)
    return path, setting.value


def page_settings(named_state: Path | None = None) -> Callable[[Mapping[str, Any]], list[tuple[KeyPath, Any]]]:
    """Return a function that returns the settings made on the page, from the tables of the file (``PageSettings``).

    ``named_state`` is the state directory of the command line. Settings that are not as facesecure wrote them are
    logged, and do not count.
    """

    def made(tables: Mapping[str, Any]) -> list[tuple[KeyPath, Any]]:
        state_dir = state_of(tables, named_state)
        try:
            return list(values(read(SignedDocuments(state_dir)), tables))
        except StoreError as error:
            forbidden = isinstance(error.__cause__, PermissionError)  # the command says so when it opens the store
            _log.log(logging.DEBUG if forbidden else logging.ERROR, "the settings of the page are not used: %s", error)
            return []

    return made


def state_of(tables: Mapping[str, Any], named: Path | None = None) -> Path:
    """Return the state directory that the ``tables`` of a configuration file lead to."""
    found = tables.get("state_dir")
    folder = Path(found) if isinstance(found, str) and "\0" not in found else None
    return state_directory(FacesecureConfig(state_dir=folder), named)


def load(
    named: Path | None, overrides: Mapping[str, Any] | None = None, named_state: Path | None = None
) -> FacesecureConfig:
    """Load the configuration with the settings made on the page. Raises ConfigError if the file itself is wrong.

    If the two do not fit together any more, the file alone counts, and an error is logged: what was once set on the
    page must not keep the alarm from starting.
    """
    file = read_settings(named, overrides, page_settings(named_state))
    config, problems = validated(file)
    if config is not None:
        return config
    if not file.from_page:
        raise file.error(problems)
    alone = load_config(named, overrides)
    _log.error("the settings made on the page do not fit the file any more, and are not used: %s", file.error(problems))
    return alone


def overridden_settings(named: Path | None, state_dir: Path) -> dict[str, Any]:
    """Return the settings that were made on the page and count, by their names: "cameras.garden gate.fps"."""
    file = read_settings(named, {}, page_settings(state_dir))
    return {
        ".".join(placed(path, file.tables)): value_at(file.tables, path) for path in sorted(file.from_page, key=str)
    }
