"""Check a request before its verb is called: the session, the role, the password, the arguments, the size.

Nothing of a request but its shape has been looked at before; after these checks a verb may rely on them.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from pydantic import ValidationError

from facesecure.app.web_api.parts import WebParts
from facesecure.app.web_api.protocol import Refusal
from facesecure.app.web_api.request import Request
from facesecure.app.web_api.verb import Answer, Arguments, Call, Refused, Verb
from facesecure.config.wording import dotted, first_problem
from facesecure.domain.accounts import PAGE, Session
from facesecure.domain.actors import Actor, acting
from facesecure.domain.errors import BusyError, FacesecureError
from facesecure.util.plain_text import one_line

NOBODY = Actor("nobody", PAGE)
"""Who acts where nobody is signed in."""

_LONGEST_ARGUMENT, _LONGEST_PROBLEM = 80, 500

_log = logging.getLogger(__name__)


class Sessions(Protocol):
    """The part of ``services.accounts`` that a request needs."""

    def find(self, token: str) -> Session | None:
        """Return the session of ``token``, and note that it was used; None if there is none, or it has ended."""


class NoSessions:
    """Nobody is signed in."""

    def find(self, token: str) -> Session | None:  # noqa: ARG002
        """Return None."""
        return None


class Guard:
    """Lets a request through to its verb, or raises Refused; thread-safe.

    ``admit`` is called before the bytes after the request are read, ``answer`` with them. Example::

        guard = Guard(all_verbs(now.VERBS), parts, sessions)
        call = guard.admit(request)
        guard.answer(call, body)
    """

    def __init__(
        self,
        verbs: Mapping[str, Verb[Any]],
        parts: WebParts,
        sessions: Sessions,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``verbs`` by name; ``now`` is aware."""
        self._verbs, self._parts, self._sessions, self._now = dict(verbs), parts, sessions, now

    def admit(self, request: Request) -> Admitted:
        """Return ``request`` once everything about it is known to be allowed. Raises Refused."""
        verb = self._verbs.get(request.verb)
        if verb is None:
            raise Refused(
                Refusal.FAILED, "the daemon does not know what the page asks", "restart both after an upgrade"
            )
        session = self._session(request.token)
        self._check_role(verb, session)
        if request.body > verb.most_body:
            raise Refused(Refusal.INVALID, f"at most {verb.most_body} bytes may follow this request", argument="body")
        return Admitted(verb, request, session, _arguments(verb, request.arguments))

    def answer(self, admitted: Admitted, body: bytes = b"", gone: Callable[[], bool] = lambda: False) -> Answer:
        """Call the verb with ``body``, in the name of whoever is signed in. Raises Refused, whatever went wrong.

        ``gone`` returns whether nobody reads the answer any more.
        """
        request, session = admitted.request, admitted.session
        call = Call(self._parts, admitted.arguments, request.client, request.token, body, session, gone)
        with acting(session.actor if session else NOBODY):
            answer = _without_details(admitted.verb, call)
        self._parts.changes.bump(*admitted.verb.changes)
        return answer

    def _session(self, token: str | None) -> Session | None:
        try:
            return self._sessions.find(token) if token else None
        except FacesecureError as error:
            _log.error("a session cannot be looked up: %s", error)
            raise Refused(
                Refusal.FAILED, "the daemon cannot look up who is signed in", "try again in a moment"
            ) from error

    def _check_role(self, verb: Verb[Any], session: Session | None) -> None:
        if verb.least is None:
            return
        if session is None:
            raise Refused(Refusal.SIGNED_OUT, "nobody is signed in")
        if not session.role.includes(verb.least):
            raise Refused(Refusal.FORBIDDEN, f"this needs the role {verb.least}; {session.account} is {session.role}")
        if verb.confirmed and not session.is_confirmed(self._now()):
            raise Refused(Refusal.CONFIRM, "the password is needed again for this")


class Admitted:
    """A request that may be answered once its body has been read."""

    __slots__ = ("arguments", "request", "session", "verb")

    def __init__(self, verb: Verb[Any], request: Request, session: Session | None, arguments: Arguments) -> None:
        self.verb, self.request, self.session, self.arguments = verb, request, session, arguments


def _arguments(verb: Verb[Any], given: Mapping[str, Any]) -> Arguments:
    """Return ``given`` as the verb's arguments; read as JSON, so that lists, times and names of choices are taken."""
    try:
        checked: Arguments = verb.arguments.model_validate_json(json.dumps(given, allow_nan=False))
    except ValidationError as error:
        raise _invalid(error, verb.arguments) from None
    except (ValueError, RecursionError):
        raise Refused(Refusal.INVALID, "the arguments cannot be read") from None
    return checked


def _invalid(error: ValidationError, model: type[Arguments]) -> Refused:
    """Return what is wrong with the first argument that is; its name may be anything."""
    path = tuple(part for part in error.errors()[0]["loc"] if isinstance(part, str | int))
    argument = one_line(dotted(path), _LONGEST_ARGUMENT)
    return Refused(Refusal.INVALID, one_line(first_problem(error, model), _LONGEST_PROBLEM), argument=argument or None)


def _without_details(verb: Verb[Any], call: Call[Any]) -> Answer:
    """Call ``verb``; who is not signed in learns nothing of what went wrong inside."""
    try:
        return verb.answer(call)
    except Refused:
        raise
    except FacesecureError as error:
        kind = Refusal.BUSY if isinstance(error, BusyError) else Refusal.FAILED
        if call.signed_in is None:
            _log.warning("page: %s failed: %s", verb.name, error.message)
            raise Refused(kind, "the daemon cannot do that now", "its log says why") from error
        raise Refused(kind, error.message, error.hint) from error
    except Exception as error:
        _log.exception("page: %s failed; please report it", verb.name)
        raise Refused(
            Refusal.FAILED, "that did not work, by a mistake in facesecure", "the daemon's log has more"
        ) from error
