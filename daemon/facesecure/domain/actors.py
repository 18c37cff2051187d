"""Say on whose behalf something is done, for the audit log: the user of the machine, and the way the order came.

A process acts for whoever started it, until ``act_as`` says otherwise; ``acting`` names another actor for a block of
one thread, as the control socket does for each request.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from facesecure.util.plain_text import one_line

COMMAND_LINE = "command line"
CONTROL_SOCKET = "control socket"
SERVICE = "daemon"
LONGEST_ACTOR = 64
_SUDO_USER = "SUDO_USER"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a user of the machine or "facesecure", and ``origin``, the way the order came.

    Example::

        with acting(Actor("anna", CONTROL_SOCKET)):
            arming.arm(Mode.AWAY)
    """

    name: str
    origin: str


DAEMON = Actor("facesecure", SERVICE)
"""The daemon, for what it does by itself."""

_of_process: Actor | None = None
_of_block: ContextVar[Actor | None] = ContextVar("actor", default=None)


def current_actor() -> Actor:
    """Return the actor of this block, else of this process: by default the user at the command line."""
    return _of_block.get() or _of_process or command_line_actor()


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """Make ``actor`` the one who acts in the block, on this thread."""
    token = _of_block.set(actor)
    try:
        yield
    finally:
        _of_block.reset(token)


def act_as(actor: Actor | None) -> None:
    """Make ``actor`` the one who acts in this process; None: whoever started it."""
    global _of_process
    _of_process = actor


def command_line_actor() -> Actor:
    """Return the user who started this process; where root did by sudo, the user who called sudo.

    Root's environment is believed, nobody else's. To be called before root's rights are given up.
    """
    if os.geteuid() == 0 and (called := os.environ.get(_SUDO_USER)):
        return Actor(as_root(called), COMMAND_LINE)
    return Actor(user_name(os.getuid()), COMMAND_LINE)


def as_root(user: str) -> str:
    """Return how a user is named who acts as root."""
    return user if user == "root" else one_line(f"{user} (as root)", LONGEST_ACTOR)


def user_name(uid: int) -> str:
    """Return the name of the user number ``uid``, or "user 1234" if that number has no name."""
    import pwd

    try:
        return one_line(pwd.getpwuid(uid).pw_name, LONGEST_ACTOR)
    except KeyError:
        return f"user {uid}"
