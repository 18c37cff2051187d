"""A verb: what the page may ask, who may ask it, with which arguments, and the function that answers.

Example::

    class WhichVisit(Arguments):
        identifier: str = Field(pattern=r"^[0-9a-f]{32}$")


    def show_visit(call: Call[WhichVisit]) -> Answer:
        return Answer(visit_document(call.parts.store, call.arguments.identifier))


    VERBS = (Verb("visit", Role.VIEWER, WhichVisit, show_visit),)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from facesecure.app.changes import Topic
from facesecure.app.web_api.parts import WebParts
from facesecure.app.web_api.protocol import Refusal
from facesecure.domain.accounts import Role, Session
from facesecure.domain.errors import FacesecureError


class Arguments(BaseModel):
    """The arguments of a verb: a field that is not named is refused. Subclasses give each text a limit or a pattern."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Nothing(Arguments):
    """No arguments."""


A = TypeVar("A", bound=Arguments, covariant=True)


@dataclass(frozen=True, slots=True)
class Client:
    """The browser, as the web process describes it: only for limits and for people to read."""

    address: str = ""
    agent: str = ""


@dataclass(frozen=True, slots=True)
class Call(Generic[A]):
    """One request, checked: its arguments, the bytes after it, and who asks.

    ``gone`` returns whether nobody reads the answer any more: a call that waits need not go on.
    """

    parts: WebParts
    arguments: A
    client: Client = Client()
    token: str | None = None
    body: bytes = b""
    signed_in: Session | None = None
    gone: Callable[[], bool] = lambda: False

    @property
    def session(self) -> Session:
        """Return the session. Only verbs without a least role may be called without one."""
        assert self.signed_in is not None
        return self.signed_in


@dataclass(frozen=True, slots=True)
class Answer:
    """What a verb answers: a JSON object, and bytes such as a picture."""

    result: Mapping[str, Any] = field(default_factory=dict)
    body: bytes = b""


class Refused(FacesecureError):
    """A verb refuses: ``kind`` says how the page should act, ``argument`` which one is wrong."""

    def __init__(
        self,
        kind: Refusal,
        message: str,
        hint: str | None = None,
        *,
        argument: str | None = None,
        seconds: float | None = None,
    ) -> None:
        """``seconds``: how long until it may be tried again."""
        super().__init__(message, hint)
        self.kind, self.argument, self.seconds = kind, argument, seconds


@dataclass(frozen=True, slots=True)
class Verb(Generic[A]):
    """What may be asked. Without a ``least`` role anybody may ask, signed in or not.

    ``confirmed``: only soon after the password was given. ``most_body``: bytes that may follow the request.
    ``changes``: what is another once it has been answered, so that the pages that show it are told. ``waits``: the
    answer may take half a minute because it waits for something to happen; such calls are counted apart, and keep no
    others from being answered.
    """

    name: str
    least: Role | None
    arguments: type[A]
    answer: Callable[[Call[A]], Answer]
    confirmed: bool = False
    most_body: int = 0
    changes: tuple[Topic, ...] = ()
    waits: bool = False
