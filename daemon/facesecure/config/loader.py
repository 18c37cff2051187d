"""Read the TOML file into the schema's sections, and report all of its problems at once.

Each problem names the line, the key, what is wrong, and what was probably meant.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from facesecure.config import FacesecureConfig
from facesecure.config.paths import find_config
from facesecure.config.secrets import learn_secrets
from facesecure.config.toml_lines import KeyPath, key_lines, line_of
from facesecure.domain.errors import ConfigError, did_you_mean
from facesecure.util.redaction import redact


def load_config(named: Path | None = None, overrides: Mapping[str, Any] | None = None) -> FacesecureConfig:
    """Load the configuration from ``named``, else from the file that ``paths.find_config`` finds, else the defaults.

    ``overrides`` maps dotted keys ("camera.source") to values that take precedence over the file.
    Raises ConfigError with every problem found, in the order of the file.
    """
    path = find_config(named)
    text = "" if path is None else _read(path)
    data = {} if path is None else _parse(path, text)
    return _validate(path, text, data, overrides or {})


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text (byte {error.start})", hint="Save it as UTF-8.") from error
    except OSError as error:
        raise ConfigError(
            f"the configuration file {path} cannot be read: {error.strerror}",
            hint="Check its permissions: ls -l " + str(path),
        ) from error


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"{path} is not valid TOML",
            problems=(_syntax_problem(str(error), text),),
            hint="Text needs quotes, settings look like key = value, sections like [camera]; "
            "compare with: facesecure config example",
        ) from error


def _syntax_problem(message: str, text: str) -> str:
    found = re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", message, re.DOTALL)
    if found is None:  # "(at end of document)"
        return f"line {text.count(chr(10)) + 1}: {message}"
    return f"line {found[2]}, column {found[3]}: {found[1]}"


def _validate(path: Path | None, text: str, data: dict[str, Any], overrides: Mapping[str, Any]) -> FacesecureConfig:
    for key, value in overrides.items():
        _put(data, key.split("."), value)
    learn_secrets(data)
    try:
        return FacesecureConfig.model_validate(data, context={"plugins": _plugins_of(data)})
    except ValidationError as error:
        raise _config_error(path, text, error.errors(), overrides) from error


def _plugins_of(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the tables of the plugins, which rules may name."""
    tables = data.get("plugins", FacesecureConfig().plugins)
    return tables if isinstance(tables, Mapping) else {}


def _put(data: dict[str, Any], parts: list[str], value: Any) -> None:
    for part in parts[:-1]:
        inner = data.setdefault(part, {})
        if not isinstance(inner, dict):
            return  # not a table in the file, which validation reports
        data = inner
    data[parts[-1]] = value


def _config_error(
    path: Path | None, text: str, errors: Iterable[ErrorDetails], overrides: Mapping[str, Any]
) -> ConfigError:
    lines = key_lines(text)
    found = []
    for error in errors:
        key = _dotted(error["loc"])
        line = None if key in overrides else line_of(error["loc"], lines)
        where = "command line" if line is None else f"line {line}"
        found.append((line or 0, f"{where}: {key}: {describe(error)}"))
    problems = tuple(problem for _, problem in sorted(found, key=lambda item: item[0]))
    count = "one problem" if len(problems) == 1 else f"{len(problems)} problems"
    return ConfigError(
        f"{count} in {path or 'the settings'}",
        problems=problems,
        hint="Every setting, its meaning and its default: facesecure config example",
    )


def _dotted(path: KeyPath) -> str:
    """Join ``path`` with dots: ``camera.width``, and ``motion.mask[1][3]`` for list items (counted from 1)."""
    return "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


_MUST_BE = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text in quotes",
    "path_type": "a path in quotes",
    "list_type": "a list in square brackets",
    "tuple_type": "a list in square brackets",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "literal_error": "{expected}",
}


def describe(error: ErrorDetails) -> str:
    """Describe one of pydantic's errors about ``FacesecureConfig`` in plain words."""
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown(error["loc"])
    if kind in ("model_type", "dict_type"):
        if any(isinstance(part, int) for part in error["loc"]):
            return f"must be settings in braces, such as {{ key = value }}, not {_shown(value)}"
        return f"must be a section that begins with [{_dotted(error['loc'])}], not {_shown(value)}"
    if kind == "missing":
        return f"is missing from {_shown(value)}"
    if kind == "string_too_short":
        return "must not be empty"
    if kind in _MUST_BE:
        wanted = _MUST_BE[kind].format(**{name: _plain(limit) for name, limit in context.items()})
        return f"must be {wanted}, not {_shown(value)}{_suggest_choice(error)}"
    return error["msg"].removeprefix("Value error, ").replace("Input should", "should")


def _plain(limit: Any) -> str:
    return f"{limit:g}" if isinstance(limit, float) else str(limit)


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return "a section"
    text = str(value).lower() if isinstance(value, bool) else redact(repr(value))  # before it is cut
    return text if len(text) <= 60 else text[:57] + "..."


def _suggest_choice(error: ErrorDetails) -> str:
    if error["type"] != "literal_error" or not isinstance(error["input"], str):
        return ""
    return did_you_mean(error["input"], re.findall(r"'([^']*)'", error["ctx"]["expected"]), prefix="; ")


def _unknown(path: KeyPath) -> str:
    model, name = _model_at(path[:-1]), str(path[-1])
    siblings = [] if model is None else list(model.model_fields)
    what = "section or setting" if len(path) == 1 else "setting"
    return f"there is no such {what}" + (did_you_mean(name, siblings, prefix="; ") or _elsewhere(name))


def _elsewhere(name: str) -> str:
    """Suggest the section that has a setting of this name, if there is one."""
    owners = {leaf: section for section, leaf in _settings()}
    return did_you_mean(name, owners, prefix="; ", shown=lambda leaf: f"{leaf!r} in [{owners[leaf]}]", cutoff=0.8)


def _settings() -> Iterable[tuple[str, str]]:
    for section, field in FacesecureConfig.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from ((section, leaf) for leaf in field.annotation.model_fields)


def _model_at(path: KeyPath) -> type[BaseModel] | None:
    """Return the section at ``path``, which may lead through lists of sections."""
    model: type[BaseModel] = FacesecureConfig
    for part in path:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(part)
        found = None if field is None else _section(field.annotation)
        if found is None:
            return None
        model = found
    return model


def _section(annotation: Any) -> type[BaseModel] | None:
    """Return the section class in ``annotation``, which is that class or a list of it."""
    kinds = [annotation, *get_args(annotation)]
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
