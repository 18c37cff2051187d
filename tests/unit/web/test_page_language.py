"""The page in English and French: nothing is left untranslated, and times are said as people say them."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from jinja2 import nodes

import facesecure.web
from facesecure.web import rule_words
from facesecure.web.app import SCREENS
from facesecure.web.language import Catalogues, Language, typeset
from facesecure.web.navigation import PLACES
from facesecure.web.templating import make_templates
from facesecure.web.times import TEXTS, ago, day, seconds_in_words

WEB = Path(facesecure.web.__file__).parent
CATALOGUES = Catalogues()
ENGLISH, FRENCH = CATALOGUES.choose("en", ""), CATALOGUES.choose("fr", "")
PARAMETERS = re.compile(r"%\((\w+)\)")
NUMBERED = 2  # texts of _n: for one, and for many


def texts_of(template: Path) -> Iterator[str]:
    """The texts that a template translates, where it names them; others come from where they are translated too."""
    for call in make_templates().parse(template.read_text()).find_all(nodes.Call):
        name = getattr(call.node, "name", None)
        if name not in ("_", "_n"):
            continue
        for argument in call.args[: NUMBERED if name == "_n" else 1]:
            yield from (const.value for const in constants(argument))


def constants(argument: nodes.Node) -> list[nodes.Const]:
    """The texts of an argument: itself, or the two that it chooses between."""
    found = [argument] if isinstance(argument, nodes.Const) else []
    if isinstance(argument, nodes.CondExpr):
        found = [one for one in (argument.expr1, argument.expr2) if isinstance(one, nodes.Const)]
    return [one for one in found if isinstance(one.value, str)]


def texts_of_code(module: Path) -> Iterator[str]:
    """The texts that a module translates: first arguments of ``_``, ``language`` and ``.number``."""
    for call in ast.walk(ast.parse(module.read_text())):
        if not isinstance(call, ast.Call):
            continue
        name = getattr(call.func, "id", None) or getattr(call.func, "attr", None)
        count = {"_": 1, "language": 1, "number": NUMBERED}.get(str(name), 0)
        for argument in call.args[:count]:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield argument.value


def every_text() -> list[tuple[str, str]]:
    """Every text with the file that has it."""
    found = [(path.name, text) for path in WEB.glob("templates/*.html") for text in texts_of(path)]
    found += [(path.name, text) for path in WEB.rglob("*.py") for text in texts_of_code(path)]
    found += [("times.py", text) for text in TEXTS]
    found += [("navigation.py", text) for place in PLACES for text in (place.title, place.about) if text]
    found += [(screen.__name__, text) for screen in SCREENS for text in getattr(screen, "DONE", {}).values()]
    found += [(module.__name__, text) for module in (*SCREENS, rule_words) for text in getattr(module, "TEXTS", ())]
    return found


def test_every_text_is_found() -> None:
    found = {text for _, text in every_text()}
    assert {"Skip to the content", "%(n)s cameras watch.", "Who is this?", "Disarmed.", "Monday"} & found
    assert len(found) > 100


def test_every_text_has_its_french() -> None:
    missing = [f"{file}: {text!r}" for file, text in every_text() if text not in FRENCH.texts]
    assert missing == []


@pytest.mark.parametrize("file", sorted((WEB / "locale").rglob("*.toml")), ids=lambda file: file.name)
def test_a_translation_has_the_parameters_of_its_text(file: Path) -> None:
    for text, translated in tomllib.loads(file.read_text()).items():
        assert set(PARAMETERS.findall(text)) == set(PARAMETERS.findall(translated)), text
        assert translated.strip() == translated, text
        assert translated, text


def test_texts_that_two_files_translate_are_translated_alike() -> None:
    seen: dict[str, str] = {}
    for file in sorted((WEB / "locale" / "fr").glob("*.toml")):
        for text, translated in tomllib.loads(file.read_text()).items():
            assert seen.setdefault(text, typeset(translated)) == typeset(translated), f"{file.name}: {text}"


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [
        (None, "", "en"),
        (None, "fr-FR,fr;q=0.9,en;q=0.8", "fr"),
        (None, "de, en;q=0.4, fr;q=0.7", "fr"),
        (None, "fr;q=0, en", "en"),
        ("en", "fr", "en"),
        ("xx", "fr", "fr"),
        (None, "*, ../../etc;q=x, \x00" * 500, "en"),
    ],
)
def test_the_language_is_the_chosen_one_or_the_browser_s(chosen: str | None, accepted: str, language: str) -> None:
    assert CATALOGUES.choose(chosen, accepted).code == language


def test_french_is_set_as_french_is() -> None:
    assert (
        typeset("Qui est-ce ? « L'inconnu » : non !") == "Qui est-ce\u00a0? «\u00a0L’inconnu\u00a0»\u00a0: non\u00a0!"
    )


def test_numbers_are_put_as_each_language_does() -> None:
    def put(language: Language, count: int) -> str:
        return language.number("%(n)s visit", "%(n)s visits", count)

    assert [put(ENGLISH, count) for count in (0, 1, 2)] == ["0 visits", "1 visit", "2 visits"]
    assert [put(FRENCH, count) for count in (0, 1, 2)] == ["0 visite", "1 visite", "2 visites"]


NOW = datetime(2026, 5, 20, 17, 5).astimezone()


@pytest.mark.parametrize(
    ("before", "english", "french"),
    [
        (timedelta(seconds=-40), "just now", "à l’instant"),
        (timedelta(seconds=59), "just now", "à l’instant"),
        (timedelta(minutes=5), "5 min ago", "il y a 5 min"),
        (timedelta(hours=3), "3 h ago", "il y a 3 h"),
        (timedelta(hours=20), "Yesterday, 21:05", "Hier, 21:05"),
        (timedelta(days=3), "Sunday, 17:05", "dimanche, 17:05"),
        (timedelta(days=30), "20 April, 17:05", "20 avril, 17:05"),
        (timedelta(days=400), "15 April 2025, 17:05", "15 avril 2025, 17:05"),
    ],
)
def test_times_are_said_as_people_say_them(before: timedelta, english: str, french: str) -> None:
    assert ago(NOW - before, ENGLISH, NOW) == english
    assert ago(NOW - before, FRENCH, NOW) == french


def test_days_and_lengths_are_said_in_words() -> None:
    assert day(NOW, FRENCH, NOW) == "Aujourd’hui"
    assert [seconds_in_words(n, ENGLISH) for n in (0.2, 59, 90, 7200, 400000)] == [
        "1 s",
        "59 s",
        "2 min",
        "2 h",
        "5 days",
    ]
