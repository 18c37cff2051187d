"""What every screen needs: the facts of the page itself, and the wait for the next change."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from facesecure import __version__
from facesecure.app.changes import Topic
from facesecure.app.web_api.protocol import LANGUAGES
from facesecure.app.web_api.verb import Answer, Arguments, Call, Nothing, Verb
from facesecure.domain.accounts import Role

LONGEST_WAIT = 25.0
"""Seconds; proxies and phones close what is silent for longer than half a minute."""
_LARGEST = 2**53 - 1  # of JavaScript


class Since(Arguments):
    """The numbers that the page has: it is answered when one of them is another, or after ``seconds``."""

    since: dict[Topic, Annotated[int, Field(ge=0, le=_LARGEST)]] = Field(default_factory=dict)
    seconds: float = Field(LONGEST_WAIT, ge=0, le=LONGEST_WAIT)


def hello(call: Call[Nothing]) -> Answer:
    """Return what the web process needs before anybody is signed in."""
    web = call.parts.config.web
    return Answer(
        {
            "program": __version__,
            "languages": list(LANGUAGES),
            "language": call.parts.config.speech.language,
            "hosts": list(web.hosts),
            "trusted_proxies": list(web.trusted_proxies),
            "port": web.port,
            "live_minutes": web.live_minutes,
            "idle_minutes": web.idle_minutes,
            "signed_in_days": web.signed_in_days,
            "accounts": call.parts.any_account(),
        }
    )


def wait_for_changes(call: Call[Since]) -> Answer:
    """Return the number of each topic, once one has changed; at once where none is known yet."""
    parts, since = call.parts, {topic.value: number for topic, number in call.arguments.since.items()}

    def look() -> bool:
        parts.look_outside()
        return call.gone()

    return Answer({"changes": parts.changes.wait(since, call.arguments.seconds, look)})


VERBS = (
    Verb("hello", None, Nothing, hello),
    Verb("changes", Role.KIOSK, Since, wait_for_changes, waits=True),
)
