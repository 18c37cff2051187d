"""What is wrong with a setting is said in plain words, whatever pydantic calls it."""

from __future__ import annotations

import re
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field, HttpUrl, SecretStr, ValidationError, field_validator
from pydantic_core._pydantic_core import list_all_errors

from facesecure.config.wording import problems_of, sentence

THEIR_WORDS = re.compile(
    r"Input|Value error|Extra inputs|Field required|should be|should have|should match|type=|pydantic|value_error", re.I
)


class Shelf(BaseModel):
    """Settings of many kinds."""

    size: int = Field(3, ge=1, le=9, description="how many boards it has")
    name: str = Field("oak", min_length=2, max_length=8)
    code: str = Field("a1", pattern="^[a-z][0-9]$", description="a letter and a digit")
    boards: list[int] = Field(default_factory=list, min_length=1, max_length=2)
    level: float | Literal["keep"] = 1.0
    token: SecretStr = SecretStr("")
    headers: dict[str, str] = Field(default_factory=dict)
    day: date = date(2026, 1, 1)
    hour: time = time(7)
    lasts: timedelta = timedelta(seconds=1)
    price: Decimal = Decimal(1)
    site: HttpUrl | None = None
    place: Path = Path()
    own: str = ""

    @field_validator("own")
    @classmethod
    def _refuses(cls, text: str) -> str:
        raise ValueError("the wood is out")


def said(settings: dict[str, Any], *, quote_text: bool = True) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        Shelf.model_validate(settings)
    found = problems_of(caught.value.errors(), Shelf, settings, quote_text=quote_text)
    return [sentence(path, text) for path, text in found]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"size": 10}, "size: must be at most 9, not 10"),
        ({"size": "many"}, "size: must be a whole number, not 'many'"),
        ({"size": 1.5}, "size: must be a whole number, not 1.5"),
        ({"name": "x"}, "name: must have at least 2 characters"),
        ({"name": "mahogany wood"}, "name: must have at most 8 characters"),
        ({"code": "11"}, "code: cannot be '11'; it is: a letter and a digit"),
        ({"boards": []}, "boards: must not be empty"),
        ({"boards": [1, 2, 3]}, "boards: must have at most 2 entries"),
        ({"boards": [1, "b"]}, "boards[2]: must be a whole number, not 'b'"),
        ({"level": "kept"}, "level: must be a number or 'keep', not 'kept'; did you mean 'keep'?"),
        ({"day": "soon"}, "day: must be a date, not 'soon'"),
        ({"hour": "late"}, "hour: must be a time of day, not 'late'"),
        ({"lasts": "long"}, "lasts: must be a number of seconds, not 'long'"),
        ({"price": "dear"}, "price: must be a number, not 'dear'"),
        ({"site": "nowhere"}, "site: must be an address with https://, not 'nowhere'"),
        ({"place": 7}, "place: must be a path in quotes, not 7"),
        ({"own": "x"}, "own: the wood is out"),
        ({"headers": 7}, "headers: must be a section that begins with [headers], not 7"),
    ],
)
def test_a_wrong_setting_is_described_plainly(settings: dict[str, Any], expected: str) -> None:
    assert said(settings) == [expected]


@pytest.mark.parametrize(
    "settings",
    [
        {"token": 12345678},
        {"headers": {"Authorization": 12345678}},
        {"headers": {"X-Anything": [12345678]}},
        {"headers": "12345678"},
    ],
)
def test_a_value_is_not_repeated_where_a_secret_may_stand(settings: dict[str, Any]) -> None:
    assert "12345678" not in " ".join(said(settings))


def test_the_text_of_a_plugins_settings_is_not_repeated() -> None:
    assert said({"size": "hunter2"}, quote_text=False) == ["size: must be a whole number"]
    assert said({"boards": "hunter2"}, quote_text=False) == ["boards: must be a list in square brackets"]


def test_the_key_of_a_header_is_told_in_a_form_that_is_not_taken_for_the_header() -> None:
    assert sentence(("headers", "Authorization"), "must be text") == "headers: 'Authorization' must be text"


@pytest.mark.parametrize("kind", list_all_errors(), ids=lambda kind: str(kind["type"]))
def test_no_error_of_pydantic_comes_through_in_its_own_words(kind: dict[str, Any]) -> None:
    context = kind.get("example_context") or {}
    error = {
        "type": kind["type"],
        "loc": ("size",),
        "msg": kind["example_message_python"],
        "input": "x",
        "ctx": context,
    }
    ((_, text),) = problems_of([error], Shelf, {"size": "x"})  # type: ignore[list-item]
    assert text
    assert not THEIR_WORDS.search(text), text
