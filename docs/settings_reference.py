"""The reference of all settings, from the configuration schema and the ``Config`` classes of the bundled plugins."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, get_args

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from docs.markdown_text import escaped, one_line, prose, table
from facesecure.config import FacesecureConfig
from facesecure.domain.interfaces import ENTRY_POINT_GROUP

_CAMERAS = """\
## `[[cameras]]`

Several cameras: instead of `[camera]`, a table `[[cameras]]` for each, with the same settings and a name of its own.
[Several cameras](cameras.md) shows how.
"""

_PLUGINS = """\
## `[plugins.NAME]`

A plugin is in use if it has a table, even an empty one; `enabled = false` in the table switches it off. `[plugins.log]`
is always there. [Alarm and alerts](alarm.md#plugins) explains the plugins. Settings of a plugin that you installed
separately are shown by `facesecure config example`.
"""


def settings() -> str:
    """Return the reference of all settings, a section for each table of the file."""
    parts = ["## Top level\n", _settings_table(FacesecureConfig)]
    for name, field in FacesecureConfig.model_fields.items():
        if name == "cameras":
            continue
        for model in _models_in(field):
            parts += _section(f"[{name}]", model)
        parts += [_CAMERAS] if name == "camera" else []
    parts.append(_PLUGINS)
    for entry in _bundled_plugins():
        plugin = entry.load()
        parts += _section(f"[plugins.{entry.name}]", plugin.Config, level=3, description=plugin.__doc__ or "")
    return "\n".join(parts)


def _bundled_plugins() -> list[EntryPoint]:
    installed = {entry.name: entry for entry in entry_points(group=ENTRY_POINT_GROUP)}
    return [entry for _, entry in sorted(installed.items()) if entry.dist and entry.dist.name == "facesecure"]


def _section(title: str, model: type[BaseModel], level: int = 2, description: str = "") -> Iterator[str]:
    """Yield heading, description and settings of ``model``, then those of the models inside it."""
    yield f"{'#' * level} `{title}`\n"
    yield from prose(inspect.cleandoc(description or model.__doc__ or ""))
    yield _settings_table(model)
    for name, field in model.model_fields.items():
        for inner in _models_in(field):
            yield from _section(_title_within(title, name, field), inner, level + 1)


def _title_within(title: str, name: str, field: FieldInfo) -> str:
    path = f"{title.strip('[]')}.{name}"
    return f"[[{path}]]" if "list" in str(field.annotation) else f"[{path}]"


def _models_in(field: FieldInfo) -> list[type[BaseModel]]:
    """Return the sections that a setting consists of: none for a plain value."""
    kinds = (field.annotation, *get_args(field.annotation))
    return [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]


def _settings_table(model: type[BaseModel]) -> str:
    schemas = model.model_json_schema().get("properties", {})
    plain = [(name, field) for name, field in model.model_fields.items() if name in schemas and not _models_in(field)]
    rows = [_setting(name, field, schemas[name]) for name, field in plain]
    return table(("setting", "type", "default", "meaning"), rows)


def _setting(name: str, field: FieldInfo, schema: dict[str, Any]) -> tuple[str, ...]:
    kind = " ".join(filter(None, (_kind(schema), _limits(field))))
    return f"`{name}`", kind, _default(field), escaped(one_line(field.description or ""))


_KINDS = {"string": "text", "integer": "integer", "number": "number", "boolean": "`true` or `false`", "object": "table"}


def _kind(schema: dict[str, Any]) -> str:
    """Return the type of a setting in words, from its JSON schema."""
    match schema:
        case {"anyOf": [*choices]}:
            return " or ".join(_kind(one) for one in choices if one.get("type") != "null")
        case {"enum": [*words]}:
            return ", ".join(f"`{json.dumps(word)}`" for word in words)
        case {"prefixItems": [first, *others]}:
            return f"list of {len(others) + 1} {_kind(first)}s"
        case {"items": {"enum": [*words]}}:
            return f"list of any of {_kind({'enum': words})}"
        case {"items": {"prefixItems": [first, *others]}}:
            return f"list of lists of {len(others) + 1} {_kind(first)}s"
        case {"items": {"anyOf": [*choices]}}:
            return f"list; each item a {' or a '.join(map(_kind, choices))}"
        case {"items": dict(item)}:
            return f"list of {_kind(item)}"
        case {"format": "path"}:
            return "path"
    return _KINDS.get(schema.get("type", ""), "text")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "*required*"
    default = field.get_default(call_default_factory=True, validated_data={})
    return "*not set*" if default is None else f"`{_toml(default)}`"


def _toml(value: Any) -> str:
    match value:
        case SecretStr():
            return _toml(value.get_secret_value())
        case dict():
            return "{ " + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + " }" if value else "{}"
        case list() | tuple():
            return f"[{', '.join(map(_toml, value))}]"
        case float():
            return f"{value:g}"
        case Path():
            return json.dumps(str(value))
    return json.dumps(value, ensure_ascii=False)


def _limits(field: FieldInfo) -> str:
    """Return the limits of a number in words, such as "from 0 to 1"."""
    words = {Ge: "from {.ge:g}", Gt: "above {.gt:g}", Le: "up to {.le:g}", Lt: "below {.lt:g}"}
    limits = ", ".join(words[type(limit)].format(limit) for limit in _metadata(field) if type(limit) in words)
    return re.sub(r"^(from .*), up to", r"\1 to", limits)


def _metadata(field: FieldInfo) -> list[Any]:
    """Return the constraints of a field; those of ``Constrained | None`` are found inside the union."""
    inner = [part for kind in get_args(field.annotation) for part in getattr(kind, "__metadata__", ())]
    flat: list[Any] = []
    for part in [*field.metadata, *inner]:
        flat += part.metadata if isinstance(part, FieldInfo) else [part]
    return flat
