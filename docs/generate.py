"""Write the reference pages from the code, so that they cannot go stale.

    .venv/bin/python docs/generate.py            # write the pages
    .venv/bin/python docs/generate.py --check    # exit with 1 if a page is not current

- ``configuration.md``: every setting, from the configuration schema and the ``Config`` classes of the bundled plugins
- ``commands.md``: every command and option of ``facesecure``, the commands of the bundled plugins included
- ``training-commands.md``: the same for ``facesecure-train``; TensorFlow is not loaded
- ``third-party.md``: every package that is installed, by the lock files, and what is inside it, with licences

Each page has a line that marks where the generated part begins; the introduction above it is written by hand.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, get_args

import typer
from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from facesecure.config import FacesecureConfig
from facesecure.domain.interfaces import ENTRY_POINT_GROUP

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent))  # for supply_chain, which is not installed

MARK = "<!-- Written by docs/generate.py from here on: change the code that it reads, then run it again. -->\n"

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


def pages() -> dict[str, str]:
    """Return the text of every page by its file name: the introduction as it is, the rest new."""
    from facesecure.cli.app import app
    from facesecure_training.cli.main import app as training_app
    from supply_chain.third_party import tables

    generated = {
        "configuration.md": settings(),
        "commands.md": commands("facesecure", app),
        "training-commands.md": commands("facesecure-train", training_app),
        "third-party.md": tables(),
    }
    return {name: f"{_introduction(DOCS / name)}{MARK}\n{text}" for name, text in generated.items()}


def _introduction(page: Path) -> str:
    """Return what stands above the mark. Raises ValueError if ``page`` has none."""
    introduction, mark, _ = page.read_text(encoding="utf-8").partition(MARK)
    if not mark:
        raise ValueError(f"{page} has no line {MARK}")
    return introduction


# Configuration ----------------------------------------------------------------------------------------------------


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
    yield from _prose(inspect.cleandoc(description or model.__doc__ or ""))
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
    return _table(("setting", "type", "default", "meaning"), rows)


def _setting(name: str, field: FieldInfo, schema: dict[str, Any]) -> tuple[str, ...]:
    kind = " ".join(filter(None, (_kind(schema), _limits(field))))
    return f"`{name}`", kind, _default(field), _escaped(_one_line(field.description or ""))


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


# Commands ---------------------------------------------------------------------------------------------------------


def commands(program: str, app: typer.Typer) -> str:
    """Return the reference of all commands of ``app``, which is started as ``program``."""
    return "\n".join(_command(typer.main.get_command(app), program, None))


def _command(command: Any, path: str, parent: Any) -> Iterator[str]:
    """Yield what there is to say of ``command``, then of the commands below it.

    Commands and contexts are click's classes, or those of the copy of click that newer versions of typer carry.
    """
    context = command.context_class(command, info_name=path.split()[-1], parent=parent)
    yield f"{'#' * min(4, len(path.split()) + 1)} `{path}`\n"
    yield from _prose(command.help or "")
    if rows := [row for parameter in command.get_params(context) if (row := _parameter(parameter, context))]:
        yield _table(("argument or option", "default", "meaning"), rows)
    yield from _prose(command.epilog or "")
    for name in command.list_commands(context) if hasattr(command, "list_commands") else ():
        yield from _command(command.get_command(context, name), f"{path} {name}", context)


def _prose(text: str) -> Iterator[str]:
    """Yield the paragraphs of a help text; one that begins with a backspace keeps its lines and becomes code."""
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        if not paragraph.startswith("\b\n"):
            yield from [f"{_escaped(_one_line(paragraph))}\n"] if paragraph else []
            continue
        first, _, rest = paragraph.removeprefix("\b\n").partition("\n")
        code, language = (rest, "sh") if first.startswith("Example") else (f"{first}\n{rest}", "text")
        yield f"```{language}\n{inspect.cleandoc(code)}\n```\n"


def _parameter(parameter: Any, context: Any) -> tuple[str, str, str] | None:
    """Return a row for an argument or option; None for ``--help`` and for what ``--help`` does not list."""
    record = parameter.get_help_record(context)
    if record is None or "--help" in parameter.opts:
        return None
    default = re.search(r"\s*\[([^][]*)\]$", record[1])
    extras = _extras(default[1] if default else "")
    return f"`{_usage(parameter, record[0])}`", extras, _escaped(_one_line(parameter.help or ""))


def _usage(parameter: Any, left: str) -> str:
    """Return an option with the word for its value. ``left`` is how ``--help`` has it, which depends on the version."""
    words = re.search(r"[\w.-]+(\|[\w.-]+)+", left)
    value = words[0] if words else parameter.metavar or _placeholder(left)
    if parameter.param_type_name == "argument":
        return value if words else (parameter.metavar or parameter.name.upper())
    names = ", ".join([*parameter.opts, *parameter.secondary_opts])
    return names if getattr(parameter, "is_flag", False) or getattr(parameter, "count", False) else f"{names} {value}"


_PLACEHOLDERS = {"STR": "TEXT", "INT": "INTEGER", "DIR": "PATH", "DIRECTORY": "PATH", "FILE": "PATH"}


def _placeholder(left: str) -> str:
    """Return the words for the values of an option: TEXT, INTEGER, FLOAT, PATH; the same with all versions of typer."""
    words = re.sub(r"-[\w-]+,?|[<>[\].]|\blist\b|\brange\b", "", left, flags=re.IGNORECASE).upper()
    return " ".join(_PLACEHOLDERS.get(word, word) for word in re.split(r"[\s,]+", words.strip()))


def _extras(text: str) -> str:
    """Return what ``--help`` adds in brackets: the default and the limits, in words."""
    return _escaped(", ".join(_extra(part.strip()) for part in text.split(";") if part.strip()))


def _extra(part: str) -> str:
    if part.startswith("default: "):
        return part.removeprefix("default: ").strip("()")
    if limit := re.fullmatch(r"(?:(\S+)<=)?x(?:>=(\S+))?(?:<=(\S+))?", part):
        low, high = limit[1] or limit[2], limit[3]
        return f"from {low} to {high}" if low and high else f"from {low}" if low else f"up to {high}"
    return part


# Markdown ---------------------------------------------------------------------------------------------------------


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', _BAR) for cell in line)} |\n" for line in lines)


_BAR = "\\|"
_MARKUP = r"[\\<>*[\]]|(?<!\w)_|_(?!\w)"  # an underscore inside a word is none


def _escaped(text: str) -> str:
    """Return ``text`` with what Markdown would read as markup escaped; code in backquotes stays."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else re.sub(_MARKUP, r"\\\g<0>", part) for part in parts)


def _one_line(text: str) -> str:
    return " ".join(text.split())


# ------------------------------------------------------------------------------------------------------------------


def stale() -> list[str]:
    """Return the names of the pages in ``docs/`` that are not as the code has it."""
    return [name for name, text in pages().items() if (DOCS / name).read_text(encoding="utf-8") != text]


def main() -> int:
    """Write the pages, or with ``--check`` compare them. Return the exit code."""
    if "--check" in sys.argv[1:]:
        old = stale()
        sys.stderr.writelines(f"docs/{name} is not current: run .venv/bin/python docs/generate.py\n" for name in old)
        return 1 if old else 0
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
