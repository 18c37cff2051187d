"""Say in plain words what is wrong with a setting, where pydantic has found it.

No value is repeated where a secret may stand: of a setting whose name sounds like a secret, of a setting that does not
exist (its name may be misspelt), or of text where a section belongs. What is repeated is redacted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, get_args

from pydantic import BaseModel, SecretBytes, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from facesecure.config.toml_lines import KeyPath
from facesecure.domain.errors import did_you_mean
from facesecure.util.redaction import redact
from facesecure.util.secret_patterns import is_secret_name

_WHOLE, _NUMBER, _TEXT, _PLACE = "a whole number", "a number", "text in quotes", "a path in quotes"
_LIST, _DATE, _TIME, _ADDRESS = "a list in square brackets", "a date", "a time of day", "an address with https://"
_MUST_BE = {
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "decimal_type": _NUMBER,
    "decimal_parsing": _NUMBER,
    "finite_number": "a finite number",
    "multiple_of": "a multiple of {multiple_of}",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": _TEXT,
    "string_sub_type": _TEXT,
    "bytes_type": _TEXT,
    "path_type": _PLACE,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "set_type": _LIST,
    "frozen_set_type": _LIST,
    "iterable_type": _LIST,
    "date_type": _DATE,
    "date_parsing": _DATE,
    "date_from_datetime_parsing": _DATE,
    "time_type": _TIME,
    "time_parsing": _TIME,
    "datetime_type": "a date and time",
    "datetime_parsing": "a date and time",
    "datetime_from_date_parsing": "a date and time",
    "time_delta_type": "a number of seconds",
    "time_delta_parsing": "a number of seconds",
    "url_type": _ADDRESS,
    "url_parsing": _ADDRESS,
    "url_syntax_violation": _ADDRESS,
    "url_scheme": "an address with {expected_schemes}",
    "path_not_file": "a file that exists",
    "path_not_directory": "a folder that exists",
    "path_exists": "the name of something new",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "literal_error": "{expected}",
    "enum": "{expected}",
}
_TABLES = ("model_type", "dict_type", "model_attributes_type", "dataclass_type", "mapping_type", "is_instance_of")
_OWN_WORDS = re.compile(r"^(Value error|Assertion failed), ")
_VALIDATORS_WORDS = re.compile(
    r"\b(Input|Field required|Extra inputs|Value error|Assertion failed|should (?:be|have|match)|"
    r"value_error|valid (?:string|number|integer|boolean|list|dictionary|tuple)|Unable to|Object has no|validation)\b"
)


def problems_of(
    errors: Iterable[ErrorDetails], model: type[BaseModel], data: Any, *, quote_text: bool = True
) -> list[tuple[KeyPath, str]]:
    """Return where in ``data`` pydantic's ``errors`` about ``model`` are, and what is wrong in plain words.

    A setting that may be one of several kinds, and is none of them, is one problem. ``quote_text`` False repeats no
    text at all, for settings that are not ours.

    Example::

        problems_of(error.errors(), FacesecureConfig, data)  # [(("camera", "fps"), "must be more than 0, not -1")]
    """
    found: dict[KeyPath, list[tuple[str, str]]] = {}
    for error in errors:
        path = _path_in(data, error["loc"], keep_last=error["type"] in ("missing", "extra_forbidden"))
        path += getattr(error.get("ctx", {}).get("error"), "within", ())  # of a SettingError
        field = _field_at(model, path)
        shown = _shown(error["input"], secret=_is_secret(path, field), text=quote_text)
        found.setdefault(path, []).append(_described(error, path, field, shown))
    return [(path, _together(texts)) for path, texts in found.items()]


def first_problem(error: ValidationError, model: type[BaseModel]) -> str:
    """Return the first of the problems of a document that another program wrote, in one sentence with its place."""
    first = error.errors()[0]
    path = first["loc"]
    field = _field_at(model, path)
    text, shown = _described(first, path, field, _shown(first["input"], secret=_is_secret(path, field), text=True))
    return sentence(path or ("its start",), text + shown)


def _together(texts: list[tuple[str, str]]) -> str:
    """Return the ``texts`` about one setting, each with what is shown of its value behind it, as one."""
    wanted = dict.fromkeys(text for text, _ in texts)
    first, *others = wanted
    shown = max((shown for _, shown in texts), key=len)  # the one with a suggestion
    return " or ".join([first, *(text.removeprefix("must be ") for text in others)]) + shown


def unknown_setting(name: str, known: Iterable[str], elsewhere: str = "") -> str:
    """Say that there is no setting ``name`` among ``known``; ``elsewhere`` is the hint where none is like it."""
    return "there is no such setting" + (did_you_mean(name, known, prefix="; ") or elsewhere)


def sentence(path: KeyPath, text: str) -> str:
    """Return ``text`` about the setting at ``path`` with its key in front, in a form that redaction leaves alone."""
    if str(path[-1:]).lower() == "('authorization',)":  # with a colon behind it, a header with a secret
        return f"{dotted(path[:-1])}: '{path[-1]}' {text}"
    return f"{dotted(path)}: {text}" if path else text


def dotted(path: KeyPath) -> str:
    """Join ``path`` with dots: ``camera.width``, and ``motion.mask[1][3]`` for list items (counted from 1)."""
    return "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def model_at(model: type[BaseModel], path: KeyPath) -> type[BaseModel] | None:
    """Return the section at ``path`` below ``model``, through lists of sections; None if it is no section."""
    found: type[BaseModel] | None = model
    for part in path:
        if isinstance(part, int):
            continue
        field = None if found is None else found.model_fields.get(part)
        found = None if field is None else _section(field.annotation)
    return found


def plain_message(error: ErrorDetails) -> str:
    """Return the words of a validator of ours or of a plugin, or an empty text where they are pydantic's own."""
    message = _OWN_WORDS.sub("", error["msg"])
    return "" if _VALIDATORS_WORDS.search(message) else message


def _section(annotation: Any) -> type[BaseModel] | None:
    """Return the section class in ``annotation``, which is that class or a list of it."""
    kinds = [annotation, *get_args(annotation)]
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def _path_in(data: Any, loc: KeyPath, *, keep_last: bool) -> KeyPath:
    """Return ``loc`` without what pydantic adds to it: the kinds of a union that it tried."""
    path: KeyPath = ()
    for part in loc:
        keys = data if isinstance(data, Mapping) else range(len(data)) if isinstance(data, list | tuple) else ()
        if part in keys:
            data, path = data[part], (*path, part)
        elif keep_last and part == loc[-1]:
            path = (*path, part)
    return path


def _field_at(model: type[BaseModel], path: KeyPath) -> FieldInfo | None:
    """Return the field of the setting at ``path`` or of the list or table that it is in."""
    names = [part for part in path if isinstance(part, str)]
    for length in range(len(names), 0, -1):
        within = model_at(model, tuple(names[: length - 1]))
        if within is not None and names[length - 1] in within.model_fields:
            return within.model_fields[names[length - 1]]
    return None


def _is_secret(path: KeyPath, field: FieldInfo | None) -> bool:
    names = [part for part in path if isinstance(part, str)]
    if any(is_secret_name(name) or "header" in name.lower() for name in names):
        return True
    kinds = [] if field is None else [field.annotation, *get_args(field.annotation)]
    return SecretStr in kinds or SecretBytes in kinds


def _shown(value: Any, *, secret: bool, text: bool) -> str:
    """Return ", not VALUE", or nothing where it may be a secret."""
    if isinstance(value, Mapping):
        return ", not a section"
    if secret or (isinstance(value, str | list | tuple) and not text):
        return ""
    shown = str(value).lower() if isinstance(value, bool) else redact(repr(value))  # before it is cut
    return f", not {shown if len(shown) <= 60 else shown[:57] + '...'}"


def _described(error: ErrorDetails, path: KeyPath, field: FieldInfo | None, shown: str) -> tuple[str, str]:
    """Return what is wrong, and what is shown of the value behind it."""
    wanted = _wanted(error)
    if wanted:
        return f"must be {wanted}", f"{shown}{_suggested(error) if shown else ''}"
    return _other(error, path, field, shown), ""


def _wanted(error: ErrorDetails) -> str:
    """Return what the setting must be, where that is all that there is to say."""
    limits = {name: _plain(limit) for name, limit in error.get("ctx", {}).items()}
    return _MUST_BE.get(error["type"], "").format(**limits)


def _other(error: ErrorDetails, path: KeyPath, field: FieldInfo | None, shown: str) -> str:
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if kind in _TABLES:
        return _no_table(path, value)
    if kind == "extra_forbidden":
        return "there is no such setting"
    if kind == "missing":
        return "is missing" if isinstance(value, Mapping) else "is missing" + shown.replace(", not", " from")
    if kind in ("string_too_short", "too_short", "bytes_too_short"):
        least = context["min_length"]
        return "must not be empty" if least == 1 else f"must have at least {least} {_counted(kind)}"
    if kind in ("string_too_long", "too_long", "bytes_too_long"):
        return f"must have at most {context['max_length']} {_counted(kind)}"
    return plain_message(error) or _explained(field, shown)


def _no_table(path: KeyPath, value: Any) -> str:
    """Say that settings belong here; only numbers are repeated, because text may be an address with a password."""
    given = (
        str(value).lower() if isinstance(value, bool | int | float) else "text" if isinstance(value, str) else "a list"
    )
    if any(isinstance(part, int) for part in path):
        return f"must be settings in braces, such as {{ key = value }}, not {given}"
    return f"must be a section that begins with [{dotted(path)}], not {given}"


def _counted(kind: str) -> str:
    return "characters" if kind.startswith("string") else "entries"


def _explained(field: FieldInfo | None, shown: str) -> str:
    """Say what the setting is, where it is wrong in a way that has no words here."""
    what = f"; it is: {field.description}" if field is not None and field.description else ""
    return f"cannot be {shown.removeprefix(', not ')}{what}" if shown else f"cannot be what it is{what}"


def _plain(limit: Any) -> str:
    return f"{limit:g}" if isinstance(limit, float) else str(limit)


def _suggested(error: ErrorDetails) -> str:
    if error["type"] not in ("literal_error", "enum") or not isinstance(error["input"], str):
        return ""
    return did_you_mean(error["input"], re.findall(r"'([^']*)'", error["ctx"]["expected"]), prefix="; ")
