"""The settings as a form: sections with fields, made from the schema and from the plugins' own settings.

What a plugin's settings are comes from its class. Secrets are hidden; whoever leaves them as they are keeps them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from facesecure.config import CameraConfig, FacesecureConfig
from facesecure.config.cameras import HealthConfig
from facesecure.config.changeable import locked
from facesecure.config.entry_points import load_entry_point
from facesecure.config.loader import Problem
from facesecure.config.toml_edit import value_at
from facesecure.config.toml_lines import KeyPath
from facesecure.config.wording import dotted
from facesecure.domain.interfaces import ENTRY_POINT_GROUP
from facesecure.services.settings_fields import Kind, Shape, parsed, shape_of, shown
from facesecure.services.settings_file import Settings, SettingsRefused
from facesecure.services.settings_values import masked

_ENABLED = FieldInfo(annotation=bool, default=False, description="whether alerts are sent through it")


@dataclass(frozen=True, slots=True)
class FormField:
    """A setting in a form. ``key`` is its dotted name; ``where`` it is set: "page", "file" or "default".

    ``reason`` is why it cannot be changed here, None if it can. Texts are as the form shows them, without secrets.
    """

    key: str
    path: KeyPath
    shape: Shape
    help: str
    text: str
    default: str
    where: str
    reason: str | None

    def as_json(self) -> dict[str, Any]:
        """Return what a form needs."""
        shape = self.shape
        return {
            "key": self.key,
            "name": str(self.path[-1]),
            "kind": shape.kind.value,
            "optional": shape.optional,
            "choices": list(shape.choices),
            "low": shape.low,
            "high": shape.high,
            "above": shape.above,
            "help": self.help,
            "text": self.text,
            "default": self.default,
            "where": self.where,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Section:
    """Settings that are shown together; ``name`` is that of its page, ``title`` that of the table in the file."""

    name: str
    title: str
    help: str
    fields: tuple[FormField, ...]

    def as_json(self) -> dict[str, Any]:
        """Return what a page of the section needs."""
        fields = [field.as_json() for field in self.fields]
        return {"name": self.name, "title": self.title, "help": self.help, "fields": fields}


def sections(settings: Settings) -> list[Section]:
    """Return every section of ``settings``, the cameras and the plugins each for itself."""
    return [*_own(settings), *_plugins(settings)]


def changes_of(form: Sequence[Section], texts: Mapping[str, str], unset: Sequence[str]) -> dict[KeyPath, Any]:
    """Return the changes that were typed, by the keys of the fields; those of ``unset`` get their defaults again.

    What was not changed is left out. Raises SettingsRefused for what cannot be read, or is not in the form.
    """
    fields = {field.key: field for section in form for field in section.fields}
    changes: dict[KeyPath, Any] = {}
    problems = [Problem((key,), "there is no such setting") for key in (*texts, *unset) if key not in fields]
    for key in unset:
        if key in fields and fields[key].where != "default":
            changes[fields[key].path] = None
    for key, text in texts.items():
        field = fields.get(key)
        if field is None or key in unset or _same(field, text):
            continue
        try:
            changes[field.path] = _value(field, text)
        except ValueError as error:
            problems.append(Problem(field.path, str(error)))
    if problems:
        raise SettingsRefused(problems)
    return changes


def _value(field: FormField, text: str) -> Any:
    if field.shape.kind is Kind.OTHER and field.reason is None:
        raise ValueError("has a screen of its own")
    return parsed(field.shape, text)


def _same(field: FormField, text: str) -> bool:
    """Return whether ``text`` is what the form showed; browsers send lines with a carriage return."""
    return text.replace("\r\n", "\n").strip() == field.text.strip()


def _own(settings: Settings) -> Iterator[Section]:
    tables = settings.file.tables
    several = isinstance(tables.get("cameras"), list) and bool(tables["cameras"])
    for name, field in FacesecureConfig.model_fields.items():
        model = field.annotation
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            continue
        if name == "camera" and several:
            for number in range(len(tables["cameras"])):
                yield from _camera(settings, ("cameras", number))
        elif name == "camera":
            yield from _camera(settings, ("camera",))
        else:
            yield _section(settings, (name,), model)


def _camera(settings: Settings, path: KeyPath) -> Iterator[Section]:
    yield _section(settings, path, CameraConfig, leave_out="health")
    general = value_at(settings.file.tables, ("health",)) or {}
    yield _section(settings, (*path, "health"), HealthConfig, defaults=general)


def _section(
    settings: Settings,
    path: KeyPath,
    model: type[BaseModel],
    *,
    leave_out: str = "",
    defaults: Mapping[str, Any] | None = None,
) -> Section:
    help_text = " ".join((model.__doc__ or "").split())
    fields = (
        _field(settings, (*path, key), field, (defaults or {}).get(key))
        for key, field in model.model_fields.items()
        if key != leave_out
    )
    return Section(_name(path), _title(settings, path), help_text, tuple(fields))


def _plugins(settings: Settings) -> Iterator[Section]:
    installed = {entry.name: entry for entry in entry_points(group=ENTRY_POINT_GROUP)}
    own = value_at(settings.file.tables, ("plugins",))
    for name in sorted({*installed, *(own if isinstance(own, Mapping) else ())}):
        table = ("plugins", name)
        used = name == "log" or isinstance(value_at(settings.file.tables, table), Mapping)
        enabled = _field(settings, (*table, "enabled"), _ENABLED, used)
        model = _plugin_model(installed.get(name))
        fields = [] if model is None else [(key, field) for key, field in model.model_fields.items()]
        shown_fields = (_field(settings, (*table, key), field) for key, field in fields)
        help_text = "" if model is None else " ".join((model.__doc__ or "").split())
        yield Section(_name(table), _title(settings, table), help_text, (enabled, *shown_fields))


def _plugin_model(entry: Any) -> type[BaseModel] | None:
    try:
        model = None if entry is None else getattr(load_entry_point(entry), "Config", None)
    except Exception:  # noqa: BLE001 - third-party code may raise anything; the health screen shows it
        return None
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None


def _field(settings: Settings, path: KeyPath, field: FieldInfo, default: Any = None) -> FormField:
    value = value_at(settings.file.tables, path)
    made = {path, path[:2]} & settings.file.from_page  # of a camera that was added on the page, all is
    where = "default" if value is None else "page" if made else "file"
    if default is None:
        default = field.get_default(call_default_factory=True, validated_data={})
    secret = _is_secret(field.annotation)
    hidden = "***" if secret and value else shown(masked(default if value is None else value))
    return FormField(
        dotted(path), path, shape_of(field), field.description or "", hidden, shown(masked(default)), where,
        locked(path),
    )  # fmt: skip


def _is_secret(annotation: Any) -> bool:
    return "SecretStr" in str(annotation)


def _name(path: KeyPath) -> str:
    return "-".join(str(part + 1) if isinstance(part, int) else part.replace("_", "-") for part in path)


def _title(settings: Settings, path: KeyPath) -> str:
    if path[0] in ("camera", "cameras"):
        camera = path[:2] if path[0] == "cameras" else path[:1]
        name = value_at(settings.file.tables, (*camera, "name")) or CameraConfig.model_fields["name"].default
        return f"{path[0] if path[0] == 'camera' else 'cameras'}: {name}" + (
            " / health" if path[-1] == "health" else ""
        )
    return ".".join(map(str, path))
