"""Describe a setting as a field of a form: its kind, limits and choices from the schema; and read what was typed."""

from __future__ import annotations

import math
import re
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import SecretStr
from pydantic.fields import FieldInfo

_LONGEST = 20_000
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


class Kind(StrEnum):
    """What a form shows for a setting."""

    SWITCH = "switch"
    WHOLE = "whole"  # a whole number
    NUMBER = "number"
    CHOICE = "choice"  # one of several words
    CHOICES = "choices"  # some of several words, a line each
    TEXT = "text"
    LINES = "lines"  # a list of texts, a line each
    TABLE = "table"  # name = text, a line each
    AMOUNT = "amount"  # a number, or a word or form that the help names: "keep", "1/1000"
    OTHER = "other"  # what has a screen of its own, or is changed in the file


@dataclass(frozen=True, slots=True)
class Shape:
    """The kind of a setting, whether it may be left out, its choices, and its limits; None where there is none."""

    kind: Kind
    optional: bool = False
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    above: bool = False
    """Whether ``low`` itself is too little."""


def shape_of(field: FieldInfo) -> Shape:
    """Return the shape of ``field`` of the schema, or of a plugin's settings."""
    annotation, metadata = _plain(field.annotation, list(field.metadata))
    members = list(_members(annotation))
    parts = [part for part in members if part is not type(None)]
    optional = len(parts) < len(members)
    choices = ("true", "false") if optional and parts == [bool] else tuple(_choices(parts))
    if choices:
        return Shape(Kind.CHOICE, optional, choices)
    if len(parts) > 1 and float in [_plain(part, ())[0] for part in parts]:
        return Shape(Kind.AMOUNT, optional)
    part, more = _plain(parts[0], metadata) if len(parts) == 1 else (None, metadata)
    kind, choices = _kind(part, more)
    low, high, above = _limits(more)
    return Shape(kind, optional, choices, low, high, above)


def shown(value: Any) -> str:
    """Return ``value`` as the form shows it: a list as lines, a table as lines ``name = text``."""
    if isinstance(value, SecretStr):
        return "***" if value.get_secret_value() else ""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, Mapping):
        return "\n".join(f"{key} = {shown(each)}" for key, each in value.items())
    if isinstance(value, list | tuple):
        return "\n".join(map(shown, value))
    return str(value)


def parsed(shape: Shape, text: str) -> Any:
    """Return the value that was typed as ``text``, None if it was left empty. Raises ValueError in plain words."""
    if len(text) > _LONGEST:
        raise ValueError(f"is longer than {_LONGEST} characters")
    text = text.replace("\r\n", "\n").strip()
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    if shape.kind in (Kind.LINES, Kind.CHOICES):
        return lines
    if shape.kind is Kind.TABLE:
        return dict(map(_pair, lines))
    if "\n" in text:
        raise ValueError("must be on one line")
    return _single(shape, text)


def _single(shape: Shape, text: str) -> Any:
    if not text:
        return None if shape.optional else "" if shape.kind is Kind.TEXT else _missing()
    match shape.kind:
        case Kind.SWITCH | Kind.CHOICE if text in ("true", "false"):
            return text == "true"
        case Kind.SWITCH:
            raise ValueError("must be on or off")
        case Kind.WHOLE:
            return _number(int, text, "a whole number")
        case Kind.NUMBER:
            return _number(float, text, "a number")
        case Kind.AMOUNT:
            return _amount(text)
    return text


def _amount(text: str) -> float | str:
    try:
        return float(_number(float, text, "a number"))
    except ValueError:
        return text


def _missing() -> Any:
    raise ValueError("must not be empty")


def _number(kind: type[int] | type[float], text: str, name: str) -> int | float:
    text = text.replace(",", ".", 1) if kind is float else text
    try:
        value = kind(text if _NUMBER.fullmatch(text) else "")
    except ValueError:
        raise ValueError(f"must be {name}") from None
    if not math.isfinite(value):
        raise ValueError("must be a finite number")
    return value


def _pair(line: str) -> tuple[str, str]:
    name, equals, text = line.partition("=")
    if not equals or not name.strip():
        raise ValueError("must have lines like: name = text")
    return name.strip(), text.strip()


def _plain(annotation: Any, metadata: Sequence[Any]) -> tuple[Any, list[Any]]:
    found = list(metadata)
    while get_origin(annotation) is Annotated:
        annotation, *more = get_args(annotation)
        found += [each for one in more for each in (one.metadata if isinstance(one, FieldInfo) else [one])]
    return annotation, found


def _members(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) in (Union, types.UnionType):
        for part in get_args(annotation):
            yield from _members(part)
    else:
        yield annotation


def _choices(parts: Sequence[Any]) -> Iterator[str]:
    if all(part is bool or get_origin(part) is Literal for part in parts) and parts != [bool]:
        for part in parts:
            yield from ("true", "false") if part is bool else map(str, get_args(part))


def _kind(part: Any, metadata: Sequence[Any]) -> tuple[Kind, tuple[str, ...]]:
    simple = {bool: Kind.SWITCH, int: Kind.WHOLE, float: Kind.NUMBER, str: Kind.TEXT, Path: Kind.TEXT}
    if part in simple:
        is_rate = part is float and any("rate" in getattr(getattr(m, "func", None), "__name__", "") for m in metadata)
        return Kind.AMOUNT if is_rate else simple[part], ()
    if part is SecretStr:
        return Kind.TEXT, ()
    if get_origin(part) is dict:
        return (Kind.TABLE if get_args(part) == (str, str) else Kind.OTHER), ()
    if get_origin(part) is list:
        inner, _ = _plain(get_args(part)[0], ())
        if get_origin(inner) is Literal:
            return Kind.CHOICES, tuple(map(str, get_args(inner)))
        return (Kind.LINES if inner in (str, SecretStr) else Kind.OTHER), ()
    return Kind.OTHER, ()


def _limits(metadata: Sequence[Any]) -> tuple[float | None, float | None, bool]:
    low: Any = None
    high: Any = None
    above = False
    for limit in metadata:
        match limit:
            case Ge(value):
                low = value
            case Gt(value):
                low, above = value, True
            case Le(value) | Lt(value):
                high = value
    numbers = [None if each is None else float(each) for each in (low, high)]
    return numbers[0], numbers[1], above
