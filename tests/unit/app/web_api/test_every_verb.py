"""What holds for every verb of the page, whoever wrote it: who may ask, and how large its arguments may be."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from facesecure.app.web_api import verbs
from facesecure.app.web_api.build import SCREENS, all_verbs
from facesecure.app.web_api.guard import Guard
from facesecure.app.web_api.protocol import BODY_LIMIT, Refusal
from facesecure.app.web_api.server import WebServer
from facesecure.app.web_api.verb import Nothing, Verb
from facesecure.domain.accounts import Role
from support.page_socket import SignedIn, call, exchange, page_parts, request_line, token_of

VERBS = all_verbs()
OPEN = {
    "hello", "session", "sign-in", "invitation", "accept-invitation", "token-frame", "passkeys-here",
    "passkey-sign-in-begin", "passkey-sign-in",
}  # fmt: skip
"""Verbs that are answered to everybody. Each has its own limits, and tells nothing of the house."""
GUARDED = sorted(set(VERBS) - OPEN)
_BOUNDS = ("maxLength", "pattern", "enum", "const", "format")


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("page")
    with (
        page_parts(folder / "state") as parts,
        WebServer(Guard(VERBS, parts, SignedIn()), folder / "web.sock"),
    ):
        yield folder / "web.sock"


def test_every_module_of_verbs_is_answered():
    modules = {path.stem for path in Path(verbs.__path__[0]).glob("*.py")} - {"__init__"}
    assert len(modules) == len(SCREENS)


def test_what_anybody_may_ask_is_a_short_list():
    assert {name for name, verb in VERBS.items() if verb.least is None} == OPEN


@pytest.mark.parametrize("name", GUARDED)
def test_nobody_is_answered_who_is_not_signed_in(path, name):
    assert [call(path, name, token=token).kind for token in (None, "x" * 43, "")] == [Refusal.SIGNED_OUT] * 3


@pytest.mark.parametrize("name", GUARDED)
def test_a_lower_role_is_refused(path, name):
    least = VERBS[name].least
    assert least is not None
    lower = [role for role in Role if not role.includes(least)]
    assert [call(path, name, token=token_of(role)).kind for role in lower] == [Refusal.FORBIDDEN] * len(lower)


@pytest.mark.parametrize("name", [name for name in GUARDED if VERBS[name].confirmed])
def test_an_old_password_is_asked_for_again(path, name):
    assert call(path, name, token=token_of(Role.OWNER, confirmed=False)).kind == Refusal.CONFIRM


@pytest.mark.parametrize("name", sorted(VERBS))
def test_an_argument_that_nobody_knows_is_refused(path, name):
    refused = call(path, name, {"no such argument": 1}, token=token_of(Role.OWNER))
    assert refused.kind == Refusal.INVALID


@pytest.mark.parametrize("name", sorted(VERBS))
def test_bytes_that_nobody_expects_are_refused(path, name):
    most = VERBS[name].most_body
    assert most <= BODY_LIMIT
    token = token_of(Role.OWNER)
    refused = exchange(path, request_line(name, token=token, body=most + 1), end=True)
    assert refused.kind == Refusal.INVALID


@pytest.mark.parametrize("name", sorted(VERBS))
def test_every_text_and_list_of_the_arguments_has_a_limit(name):
    assert list(unbounded(VERBS[name].arguments.model_json_schema())) == []


@pytest.mark.parametrize("name", sorted(VERBS))
def test_a_verb_that_changes_something_sensitive_is_no_kiosks(name):
    verb: Verb[Any] = VERBS[name]
    if verb.confirmed:
        assert verb.least in ((Role.VIEWER,) if name.startswith("passkey-") else (Role.MEMBER, Role.OWNER))
    assert not (verb.waits and verb.most_body)


def test_a_verb_without_arguments_has_none():
    assert Nothing.model_json_schema()["properties"] == {}


def unbounded(schema: Any, place: str = "") -> Iterator[str]:
    """The places in a JSON schema where a text or a list may be of any length."""
    if isinstance(schema, list):
        for number, part in enumerate(schema):
            yield from unbounded(part, f"{place}[{number}]")
    if not isinstance(schema, Mapping):
        return
    kind = schema.get("type")
    if kind == "string" and not any(bound in schema for bound in _BOUNDS):
        yield place
    if kind == "array" and "maxItems" not in schema:
        yield place
    for key, part in schema.items():
        if key not in ("default", "examples", "enum", "required"):
            yield from unbounded(part, f"{place}.{key}")
