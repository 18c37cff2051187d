"""Random requests on the page's socket: each is answered in one line, and no verb stumbles over its arguments."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from pydantic import BaseModel

from facesecure.app.web_api.guard import Guard
from facesecure.app.web_api.protocol import Refusal
from facesecure.app.web_api.server import WebServer
from facesecure.domain.accounts import Role
from facesecure.util.plain_text import is_plain
from support.bombs.pictures import damaged
from support.faults.table import attack
from support.page_attacked import PICKED, VERBS, VISIT, attacked_house
from support.page_socket import Reply, SignedIn, exchange, request_line, token_of

KINDS = set(Refusal)
TEXTS = some.one_of(
    some.text(max_size=40),
    some.sampled_from(
        ["", "../../etc/passwd", "\u0000", "\ud800", "'; DROP TABLE people; --", "<script>", VISIT, "1e999"]
    ),
)
FRACTIONS = some.floats(allow_nan=False, allow_infinity=False)
NUMBERS = some.one_of(some.integers(), FRACTIONS, some.sampled_from([-1, 0, 1, 2**31, 2**63, 2**64, 10**300]))
VALUES = some.recursive(
    some.one_of(some.none(), some.booleans(), NUMBERS, TEXTS),
    lambda inner: some.one_of(
        some.lists(inner, max_size=4), some.dictionaries(some.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
TOKENS = some.one_of(some.none(), TEXTS, some.sampled_from([token_of(role) for role in Role]))
quickly = settings(max_examples=1000, suppress_health_check=list(HealthCheck))


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    with (
        attacked_house(tmp_path) as house,
        WebServer(Guard(VERBS, house.parts, SignedIn()), tmp_path / "fuzz.sock", timeout=0.5),
    ):
        yield tmp_path / "fuzz.sock"


@some.composite
def arguments(draw: some.DrawFn, model: type[BaseModel]) -> dict[str, Any]:
    """Arguments that ``model`` takes in part, so that some get through to the verb."""
    chosen: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if field.is_required() or draw(some.booleans()):
            known = name in PICKED and draw(some.integers(0, 3)) > 0
            chosen[name] = PICKED[name] if known else draw(VALUES)
    if _seldom(draw):
        chosen[draw(some.text(max_size=8))] = draw(VALUES)
    return chosen


@some.composite
def requests(draw: some.DrawFn) -> bytes:
    """A request of one of the verbs, mostly well-formed and of somebody who may ask it."""
    name = draw(some.sampled_from(sorted(VERBS)))
    body = draw(some.binary(max_size=200)) if VERBS[name].most_body or _seldom(draw) else b""
    size = draw(some.integers(-1, 300)) if _seldom(draw) else len(body)
    token = draw(TOKENS) if _seldom(draw) else token_of(Role.OWNER)
    return request_line(name, _short(draw(arguments(VERBS[name].arguments))), token=token, body=size) + body


def _seldom(draw: some.DrawFn) -> bool:
    return draw(some.integers(0, 5)) == 5


def _short(chosen: dict[str, Any]) -> dict[str, Any]:
    """Nobody is to be waited for."""
    return {name: 0 if name == "seconds" and isinstance(of, int | float) else of for name, of in chosen.items()}


def checked(reply: Reply, caplog: pytest.LogCaptureFixture) -> bool:
    """Whether ``reply`` is an answer; it must be a document of the protocol, and nobody must have stumbled."""
    faults = [record.getMessage() for record in caplog.records if "please report it" in record.getMessage()]
    assert faults == []
    caplog.clear()
    document = reply.document
    if document["ok"]:
        assert isinstance(document["result"], dict)
        assert document["body"] == len(reply.body)
        return True
    assert document["kind"] in KINDS
    assert is_plain(document["error"])
    assert document["hint"] is None or is_plain(document["hint"])
    assert reply.body == b""
    return False


@pytest.mark.slow
@attack(
    "random requests on the page's socket",
    how="1,000 requests of all verbs, with sessions of all roles and none, arguments of every type and size, texts "
    "that are paths, SQL and HTML, and bodies shorter and longer than announced",
)
def test_no_verb_stumbles_over_a_request(
    path: Path, caplog: pytest.LogCaptureFixture, saw: Callable[[str], None]
) -> None:
    caplog.set_level(logging.WARNING)
    answered = []

    @quickly
    @given(requests())
    def fuzz(request: bytes) -> None:
        answered.append(checked(exchange(path, request, end=True), caplog))

    fuzz()
    saw(f"{len(answered)} requests, {sum(answered)} answered, the others refused in one line; no verb stumbled")


@pytest.mark.slow
@attack(
    "damaged requests on the page's socket",
    how="1,000 requests with bytes exchanged, cut out, doubled and cut off, and as many of random bytes",
)
def test_what_is_damaged_is_refused(path: Path, caplog: pytest.LogCaptureFixture, saw: Callable[[str], None]) -> None:
    chance, taken = random.Random(1), 0
    whole = request_line("changes", {"since": {"mode": 1}, "seconds": 0}, token=token_of(Role.KIOSK))
    for _ in range(1000):
        taken += checked(exchange(path, damaged(whole, chance), end=True), caplog)
        assert not checked(exchange(path, chance.randbytes(chance.randrange(200)), end=True), caplog)
    assert json.loads(json.dumps(exchange(path, whole).document))["ok"]
    saw(f"{taken} of the damaged ones could still be read, the others and all random ones are refused")
