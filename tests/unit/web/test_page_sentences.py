"""The daemon's sentences in French: reasons of verdicts, names and descriptions of settings, and mistakes in them.

Those that are born in an expression are found in the code, so that none can be added without its French.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import facesecure
from facesecure.config import FacesecureConfig, changeable, wording
from facesecure.config.loader import validated
from facesecure.config.toml_lines import KeyPath
from facesecure.domain.accounts import Role
from facesecure.domain.errors import UsageError
from facesecure.domain.names import person_name
from facesecure.domain.why import Why
from facesecure.services import settings_file
from facesecure.services.settings_form import Section, sections
from facesecure.web.language import Catalogues
from facesecure.web.screens.settings import _label
from facesecure.web.sentences import Sentences
from support.page.served import served_house

FRENCH = Catalogues().choose("fr", "")
PACKAGE = Path(facesecure.__file__).parent
BORN_IN = (
    *sorted((PACKAGE / "config").glob("*.py")),
    PACKAGE / "domain" / "schedule.py",
    PACKAGE / "services" / "settings_fields.py",
    PACKAGE / "util" / "rates.py",
)
NOT_FOR_THE_PAGE = {"toml_lines.py", "loader.py"}
"""What these raise is about the file, which the page does not show."""


@pytest.fixture(scope="module")
def form() -> list[Section]:
    return sections(settings_file.settings_of(FacesecureConfig()))


def french(text: str) -> str:
    found = FRENCH.sentence(text)
    assert found is not None, text
    return found


def raised(module: Path) -> Iterator[str]:
    """What the validators of a module raise, with 7 in the place of each value."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
            name = getattr(node.exc.func, "id", "")
            if name in ("ValueError", "SettingError"):
                yield from texts(node.exc.args[0])


def texts(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in parts)
        case ast.IfExp(body=one, orelse=other):
            yield from texts(one)
            yield from texts(other)


@pytest.mark.parametrize("module", BORN_IN, ids=lambda path: path.name)
def test_whatever_is_wrong_with_a_setting_is_said_in_french(module: Path) -> None:
    if module.name not in NOT_FOR_THE_PAGE:
        missing = [text for text in raised(module) if FRENCH.sentence(text) is None]
        assert missing == []


def test_what_pydantic_finds_is_said_in_french() -> None:
    wanted = [text for text in wording._MUST_BE.values() if text != "{expected}"]
    missing = [text for text in wanted if FRENCH.sentence(f"must be {text.format(**dict.fromkeys(LIMITS, 7))}") is None]
    assert missing == []
    for text in wanted:
        assert "must" not in french(f"must be {text.format(**dict.fromkeys(LIMITS, 7))}, not 'x'")


LIMITS = ("multiple_of", "expected_schemes", "gt", "ge", "lt", "le")


@pytest.mark.parametrize("why", Why)
def test_every_reason_of_a_verdict_and_of_a_doubt_is_said_in_french(why: Why) -> None:
    names = ("faces", "needed", "n", "of", "score", "name", "rival", "rarity", "reasons")
    values = dict.fromkeys(names, "7") | {"name": "Anna", "rival": "Ben"}
    english = why.say(**values)
    said = french(english)
    assert said != english
    assert ("Anna" in said) == ("Anna" in english)
    assert ("Ben" in said) == ("Ben" in english)


def test_a_reason_within_a_reason_is_said_in_french() -> None:
    why = Why.NAMED.say(faces="3 usable faces", score="0.71", name="Anna", rarity=Why.RARE.say(n="1,300"))
    assert (
        french(why) == "3 visages utilisables, ressemblance 0.71 avec Anna\u00a0; un inconnu sur 1,300 ressemble autant"
    )
    poor = Why.NO_FACE.say(reasons="too dark: brightness 31 of 255; blurred: sharpness 0.12, 0.2 needed")
    assert "trop sombre" in french(poor)
    assert "flou" in french(poor)


def test_a_person_may_be_called_like_a_word_of_a_reason() -> None:
    why = Why.STRANGER.say(faces="3 usable faces", score="0.31", name="a number", rival="")
    assert "a number" in french(why)


def test_every_setting_has_a_french_name_and_description(form: list[Section]) -> None:
    texts = [section.help for section in form if section.help and not section.help.startswith("[")]
    texts += [field.help for section in form for field in section.fields]
    texts += [field.reason for section in form for field in section.fields if field.reason]
    texts += [*changeable._REASONS.values(), changeable._OWN_FILE]
    assert [text for text in dict.fromkeys(texts) if FRENCH.sentence(text) is None] == []
    names = {_label(field.as_json(), Catalogues().choose("en", "")) for section in form for field in section.fields}
    assert [name for name in sorted(names) if name not in FRENCH.texts] == []


@pytest.mark.parametrize("name", ["", "\u200b", "x" * 65, "a/b", "..", "a\x07b"])
def test_what_is_wrong_with_a_name_is_said_in_french(name: str) -> None:
    with pytest.raises(UsageError) as wrong:
        person_name(name)
    assert "cannot" not in french(wrong.value.message)
    assert " it " not in french(wrong.value.message)


WRONG: dict[KeyPath, object] = {
    ("camera", "fps"): -1,
    ("camera", "transport"): "tpc",
    ("camera", "width"): "wide",
    ("camera", "name"): "x" * 65,
    ("motion", "mask"): [[0, 0, 7, 1]],
    ("policy", "quiet"): ["22-07"],
    ("policy", "away"): ["Mondey 09:00-17:00"],
    ("verdict", "false_accept"): "often",
    ("store", "keep_days"): "long",
    ("clips", "enabled"): "perhaps",
    ("alerts", "fallback"): {"log": "log"},
}


@pytest.mark.parametrize("path", WRONG, ids=".".join)
def test_wrong_settings_are_explained_in_french(path: KeyPath) -> None:
    file = settings_file.settings_of(FacesecureConfig()).file
    tables = {str(path[0]): {str(path[1]): WRONG[path]}}
    _, problems = validated(type(file)(None, tables, {}))
    assert problems
    for problem in problems:
        assert FRENCH.sentence(problem.text) is not None, problem.text


def test_a_text_of_any_length_is_taken_apart_at_once() -> None:
    hostile = ", like ; but " * 100_000
    assert FRENCH.sentence(hostile) is None
    assert FRENCH.sentence("") is None
    assert FRENCH.sentence("; " * 900) is None


def test_what_is_not_known_stays_english_and_says_so(tmp_path: Path) -> None:
    assert Sentences({"must be %(what)s": "doit être %(what)s"})("nothing like it") is None
    with served_house(tmp_path) as house:
        html = house.get("/settings/policy", Role.OWNER, {"Accept-Language": "fr"}).text
        assert "Heures calmes" in html
        assert "heures calmes, par exemple" in html
        assert '<span lang="en">' not in html
        found = house.get("/settings?q=calmes", Role.OWNER, {"Accept-Language": "fr"}).text
        assert "policy.quiet" in found
