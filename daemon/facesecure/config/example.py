"""Generate the commented example of the configuration file from the schema, so that it is always up to date.

A line that begins with ``#key =`` (no space) is a setting at its default: remove the ``#`` to change it. ``# key =`` is
one that is not set by default, with an example. Any other line that begins with ``# `` is a comment.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, get_args

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from facesecure.config import FacesecureConfig
from facesecure.config.entry_points import load_entry_point
from facesecure.domain.interfaces import ENTRY_POINT_GROUP

_LIKE_A_SETTING = re.compile(r"(?:[\w.]+ *=|\[)")
"""How a line of prose must not begin: without its # it would be read."""
_HEAD = """\
# facesecure's settings, each at its default.
# To change one, remove the # at the start of its line. Check the file with: facesecure config check
# A setting that is not set by default has an example.
"""
_TWO_CAMERAS = """\
# [[cameras]]
# name = "front door"
# source = "rtsp://user:password@host/main"
# detect = "rtsp://user:password@host/sub"
# [[cameras]]
# name = "garden gate"
# source = "rtsp://user:password@host2/main"
# zones = [[[0.1, 0.3], [0.9, 0.3], [1.0, 1.0], [0.0, 1.0]]]
# min_face = 40
"""


def example_config() -> str:
    """Return a TOML file with every setting at its default and commented out."""
    tables: list[tuple[str, FieldInfo]] = []
    values: list[tuple[str, FieldInfo]] = []
    for name, field in FacesecureConfig.model_fields.items():
        if name != "cameras":  # shown behind the one camera
            (tables if _model(field) or name == "plugins" else values).append((name, field))
    parts = [_HEAD, *("\n".join(_setting(name, field)) + "\n" for name, field in values)]
    for name, field in tables:
        model = _model(field)
        parts.append(_table(name, model) if model else _plugins(field))
        if name == "camera":
            parts.append(_several_cameras())
    return "\n".join(parts)


def _model(field: FieldInfo) -> type[BaseModel] | None:
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _table(name: str, model: type[BaseModel]) -> str:
    lines = [f"[{name}]", *_prose(" ".join((model.__doc__ or "").split()))]
    for key, inner in model.model_fields.items():
        lines += _setting(key, inner)
    return "\n".join(lines) + "\n"


def _several_cameras() -> str:
    """Return two cameras in the place of one, commented out."""
    description = FacesecureConfig.model_fields["cameras"].description
    return "\n".join([*_prose(f"Several cameras: {description}."), _TWO_CAMERAS])


def _plugins(field: FieldInfo) -> str:
    """Return a table for each plugin: first the default ones, then the installed ones, commented out."""
    on = field.get_default(call_default_factory=True, validated_data={})
    installed = {entry.name: entry for entry in entry_points(group=ENTRY_POINT_GROUP)}
    lines = list(_prose(f"Alerts: {field.description}."))
    for name in [*on, *sorted(set(installed) - set(on))]:
        lines.append(f"[plugins.{name}]" if name in on else f"# [plugins.{name}]")
        lines += ["# enabled = true", *(_plugin_settings(installed[name]) if name in installed else ())]
    return "\n".join(lines) + "\n"


def _plugin_settings(entry: EntryPoint) -> Iterator[str]:
    """Yield the settings of one plugin; nothing if the plugin cannot be loaded."""
    try:
        config = getattr(load_entry_point(entry), "Config", None)
    except Exception:  # noqa: BLE001 - third-party code may raise anything; `alerts list` shows it
        return
    if not (isinstance(config, type) and issubclass(config, BaseModel)):
        return
    for key, setting in config.model_fields.items():
        for line in _setting(key, setting):
            yield line if line.startswith("# ") else f"# {line[1:]}"


def _setting(key: str, field: FieldInfo) -> Iterator[str]:
    yield from _prose(" ".join(filter(None, (field.description, _limits(field)))))
    default = field.get_default(call_default_factory=True, validated_data={})
    # TOML has no null: a setting without a default is shown with an example.
    yield (
        f"# {key} = {_toml(_example(field))}  # an example; not set"
        if default is None
        else f"#{key} = {_toml(default)}"
    )


def _example(field: FieldInfo) -> Any:
    """Return the field's example, or else a value of its kind."""
    if field.examples:
        return field.examples[0]
    kinds = [kind for kind in (field.annotation, *get_args(field.annotation)) if isinstance(kind, type)]
    lowest = next((limit.ge for limit in field.metadata if isinstance(limit, Ge)), 1)
    values = {bool: True, int: lowest, float: lowest, str: "text", Path: "/path", list: [], tuple: [], dict: {}}
    return next((value for kind, value in values.items() if kind in kinds), "text")


def _prose(text: str) -> Iterator[str]:
    for line in textwrap.wrap(text, 100, break_on_hyphens=False):
        yield f"# ... {line}" if _LIKE_A_SETTING.match(line) else f"# {line}"


def _limits(field: FieldInfo) -> str:
    words = []
    for limit in field.metadata:
        match limit:
            case Ge(low):
                words.append(f"from {low:g}")
            case Gt(low):
                words.append(f"more than {low:g}")
            case Le(high):
                words.append(f"up to {high:g}")
            case Lt(high):
                words.append(f"less than {high:g}")
    return f"({', '.join(words)})" if words else ""


def _toml(value: Any) -> str:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict) and value:
        return "{ " + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return repr(value)
