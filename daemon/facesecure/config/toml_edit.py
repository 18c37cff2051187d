"""Change single values in the text of a TOML file, and keep everything else: comments, order, spaces, line ends.

A new setting is written below its commented-out default, where there is one. What comes out is parsed, and must be what
was wanted and nothing else: so no value can bring a setting along.
"""

from __future__ import annotations

import copy
import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from facesecure.config.toml_lines import KeyPath, key_lines
from facesecure.domain.errors import ConfigError

Changes = Iterable[tuple[KeyPath, Any]]
"""Settings by their paths, and the new values; None removes a setting.

A camera is added at ("cameras", NUMBER), with the number after the last; what was [camera] is then the first of them.
"""
_CAMERA = re.compile(r"^([ \t]*)\[[ \t]*camera[ \t]*\]", re.MULTILINE)
_CAMERA_PART = re.compile(r"^([ \t]*)\[[ \t]*camera[ \t]*\.", re.MULTILINE)
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def edited(text: str, changes: Changes) -> str:
    """Return ``text`` with ``changes``. Raises ConfigError if the file is written so that they cannot be made.

    Example::

        edited("[policy]", [(("policy", "quiet"), ["22:00-07:00"])])
    """
    changes = list(changes)
    wanted = with_values(tomllib.loads(text), changes)
    ending = "\r\n" if "\r\n" in text else "\n"
    text = text.replace("\r\n", "\n")
    for path, value in changes:
        try:
            text = _changed(text, path, value)
        except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:  # what tomlkit raises
            raise _impossible(path) from error
    text = text.replace("\n", ending)
    if not _same(_parsed(text), wanted):
        raise _impossible(*(path for path, _ in changes))
    return text


def with_values(tables: Mapping[str, Any], changes: Changes) -> dict[str, Any]:
    """Return a copy of ``tables`` with ``changes``. Raises ConfigError if a path leads through a value."""
    result = copy.deepcopy(dict(tables))
    for path, value in changes:
        _put(result, path, value)
    return result


def value_at(tables: Any, path: KeyPath) -> Any:
    """Return the value at ``path``, None if there is none."""
    for part in path:
        known = isinstance(tables, Mapping) and part in tables
        listed = isinstance(tables, list) and isinstance(part, int) and 0 <= part < len(tables)
        tables = tables[part] if known or listed else None
    return tables


def written(value: Any) -> str:
    """Return ``value`` as TOML writes it, on one line."""
    import tomlkit

    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key(str(key))} = {written(each)}" for key, each in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(written, value)) + "]"
    return str(tomlkit.item(value).as_string())


def _impossible(*paths: KeyPath) -> ConfigError:
    from facesecure.config.wording import dotted

    names = ", ".join(map(dotted, paths))
    return ConfigError(f"the file is written so that {names} cannot be changed here", hint="change it in an editor")


def _parsed(text: str) -> Any:
    try:
        return tomllib.loads(text)
    except ValueError:
        return None


def _put(tables: Any, path: KeyPath, value: Any) -> None:
    if adds_camera(path):
        _put_camera(tables, path, value)
        return
    for part in path[:-1]:
        if isinstance(tables, list) and isinstance(part, int) and 0 <= part < len(tables):
            tables = tables[part]
        elif isinstance(tables, dict):
            tables = tables.setdefault(part, {}) if value is not None else tables.get(part, {})
        else:
            raise _impossible(path)
    if not isinstance(tables, dict):
        raise _impossible(path)
    if value is None:
        tables.pop(path[-1], None)
    else:
        tables[path[-1]] = value


def adds_camera(path: KeyPath) -> bool:
    """Return whether ``path`` is that of a camera which is added, not of a setting."""
    return path[:1] == ("cameras",) and len(path) == 2 and isinstance(path[1], int)


def _put_camera(tables: dict[str, Any], path: KeyPath, value: Any) -> None:
    cameras = tables.setdefault("cameras", [])
    if not isinstance(cameras, list) or not isinstance(value, Mapping):
        raise _impossible(path)
    if not cameras:
        cameras.append(tables.pop("camera", {}))
    if path[1] != len(cameras):
        raise _impossible(path)
    cameras.append(dict(value))


def _with_camera(text: str, table: Mapping[str, Any]) -> str:
    """Return ``text`` with a table [[cameras]] at its end; what was [camera] is the first of them."""
    tables = tomllib.loads(text)
    if not tables.get("cameras"):
        text = _CAMERA.sub(r"\1[[cameras]]", text) if "camera" in tables else _with_table(text, "[[cameras]]")
        text = _CAMERA_PART.sub(r"\1[cameras.", text)
    lines = [f"{_key(str(key))} = {written(value)}" for key, value in table.items()]
    return _with_table(text, "[[cameras]]", *lines)


def _with_table(text: str, *lines: str) -> str:
    gap = "" if not text or text.endswith("\n\n") else "\n" if text.endswith("\n") else "\n\n"
    return text + gap + "\n".join(lines) + "\n"


def _changed(text: str, path: KeyPath, value: Any) -> str:
    import tomlkit

    if adds_camera(path):
        return _with_camera(text, value)
    document = tomlkit.parse(text)
    if value_at(document.unwrap(), path) is None:
        return text if value is None else _added(text, path, value)
    table: Any = document
    for part in path[:-1]:
        table = table[part]
    if value is None:
        del table[path[-1]]
    else:
        table[path[-1]] = tomlkit.value(written(value))
    return tomlkit.dumps(document)


def _added(text: str, path: KeyPath, value: Any) -> str:
    """Return ``text`` with a setting that is not in it yet."""
    line = f"{_key(str(path[-1]))} = {written(value)}"
    lines, found = text.split("\n"), key_lines(text)
    header = found.get(path[:-1])
    if header is not None and lines[header - 1].lstrip().startswith("["):
        lines.insert(_place(lines, header, str(path[-1])), line)
        return "\n".join(lines)
    if header is not None:
        return _added_within(text, path, value)
    if any(isinstance(part, int) for part in path[:-1]):  # a table of one of several cameras
        return _added(text, path[:-1], {str(path[-1]): value})
    name = ".".join(_key(str(part)) for part in path[:-1])
    if not name:
        return f"{line}\n{text}"
    return _with_table(text, f"[{name}]", line)


def _place(lines: list[str], header: int, key: str) -> int:
    """Return where a line for ``key`` belongs in the section that begins on line ``header``."""
    default = re.compile(rf"#[ \t]?{re.escape(key)}[ \t]*=")
    for number in range(header, len(lines)):
        if lines[number].lstrip().startswith("["):
            break
        if default.match(lines[number]):
            return number + 1
    return header


def _added_within(text: str, path: KeyPath, value: Any) -> str:
    """Return ``text`` with a setting added to an inline table, or to one that dotted keys make."""
    import tomlkit

    document = tomlkit.parse(text)
    table: Any = document
    for part in path[:-1]:
        table = table[part]
    table[path[-1]] = tomlkit.value(written(value))
    return tomlkit.dumps(document)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else written(name)


def _same(one: Any, other: Any) -> bool:
    """Return whether two values are the same, in their kinds, too; empty tables do not count."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        one, other = ({key: each for key, each in both.items() if each != {}} for both in (one, other))
        return one.keys() == other.keys() and all(_same(each, other[key]) for key, each in one.items())
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    return type(one) is type(other) and bool(one == other)
