"""The daemon's side of the page with real accounts, a clock that a test moves, and passwords that cost nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from facesecure.app.web_api.build import all_verbs
from facesecure.app.web_api.guard import Guard
from facesecure.app.web_api.parts import WebParts
from facesecure.app.web_api.protocol import VERSION
from facesecure.app.web_api.request import Request
from facesecure.app.web_api.verb import Refused
from facesecure.config import FacesecureConfig
from facesecure.domain.accounts import Role
from facesecure.services import accounts, audit
from facesecure.services.passwords import Passwords
from facesecure.services.sign_in import SignIn
from facesecure.storage.store import Store

PASSWORD, OTHER = "four words of mine", "four other words"
CHROME = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36"


@dataclass
class Time:
    """Clocks that a test moves."""

    at: datetime = datetime(2026, 5, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def steady(self) -> float:
        return self.at.timestamp()

    def wait(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class QuickHasher:
    """Stands for Argon2, which takes 40 ms; counts how often it was asked."""

    checked = 0

    def hash(self, password: str) -> str:
        return f"quick {password}"

    def verify(self, hash: str, password: str) -> bool:
        self.checked += 1
        return hash == self.hash(password)


@dataclass
class Page:
    """The daemon's side of the page: ``ask`` is one request of one browser."""

    store: Store
    time: Time
    hasher: QuickHasher = field(default_factory=QuickHasher)
    address: str = "192.168.1.7"
    commands: Any = None

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Begin anew, as after a restart."""
        self.sign_in = SignIn(self.store, 30, Passwords(self.hasher), self.time.now, self.time.steady)
        nothing = cast(Any, None)
        parts = WebParts(
            FacesecureConfig(), self.store.state_dir, self.store, nothing, nothing, (), self.commands, nothing,
            any_account=self.sign_in.any_account, sign_in=self.sign_in,
        )  # fmt: skip
        self.guard = Guard(all_verbs(), parts, self.sign_in.sessions, self.time.now)

    def ask(self, verb: str, token: str | None = None, address: str = "", **arguments: Any) -> Mapping[str, Any]:
        """Return the answer, as JSON carries it."""
        client = {"address": address or self.address, "agent": CHROME}
        line = {"version": VERSION, "verb": verb, "token": token, "client": client, "arguments": arguments}
        admitted = self.guard.admit(Request.parse(json.dumps(line).encode()))
        answer: Mapping[str, Any] = json.loads(json.dumps(dict(self.guard.answer(admitted).result)))
        return answer

    def refusal(self, verb: str, token: str | None = None, address: str = "", **arguments: Any) -> Refused:
        """Return why the request is refused."""
        with pytest.raises(Refused) as refused:
            self.ask(verb, token, address, **arguments)
        return refused.value

    def link(self, name: str = "Anna", role: Role = Role.OWNER) -> str:
        """Return the code of a link that the command line made."""
        return accounts.invite(self.store, name, role, self.time.now).code

    def account(self, name: str = "Anna", role: Role = Role.OWNER, password: str = PASSWORD) -> str:
        """Make an account, and return the token of its first session."""
        return str(self.ask("accept-invitation", code=self.link(name, role), password=password)["token"])

    def actions(self) -> list[str]:
        """Return the actions in the audit log."""
        found = audit.verify(self.store.state_dir)
        assert not found.breaks
        return [one.action for one in found.entries]
