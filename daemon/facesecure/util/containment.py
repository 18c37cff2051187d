"""Run other people's code so that nothing it raises, and no process it forks, reaches the daemon.

Plugins run in the daemon's process and are trusted with what it knows; this contains their mistakes, not malice. What a
call raises comes out as an ``Exception`` of bounded length, whatever it was: KeyboardInterrupt, an error that cannot be
printed, a message of megabytes. A call that never returns can be left behind on its thread.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from facesecure.util.redaction import LONGEST, bounded

T = TypeVar("T")


class ContainedError(Exception):
    """The error of a contained call, as text: its type and message, redacted and cut to LONGEST characters."""


def contained(call: Callable[[], T], *, passed: type[Exception]) -> T:
    """Return the result of ``call``.

    Raises its error as it is if that is a short ``passed``, and a ContainedError for everything else it raises. A
    Ctrl-C on the main thread is passed on too. If the call forked a child that returns from it as well, the child ends
    here: it would otherwise go on as a second daemon, with the same database and the same lock.
    """
    process = os.getpid()
    try:
        return call()
    except BaseException as error:
        if isinstance(error, passed) and _is_short(error):
            raise
        if isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread():
            raise
        failure = ContainedError(describe(error)).with_traceback(error.__traceback__)
    finally:
        if os.getpid() != process:
            os._exit(0)
    raise failure  # here, where it has no context that would keep the original


def contained_in_time(call: Callable[[], T], seconds: float, *, passed: type[Exception], name: str) -> T:
    """Return the result of ``call``, made by ``contained`` on a thread called ``name``.

    Raises as ``contained`` does, and TimeoutError if it has not returned after ``seconds``; it is then left behind.
    """
    results: list[Any] = []
    errors: list[Exception] = []

    def work() -> None:
        try:
            results.append(contained(call, passed=passed))
        except Exception as error:  # noqa: BLE001 - raised again by the caller's thread
            errors.append(error)

    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise TimeoutError(f"no answer within {seconds:g} s")
    result: T = results[0]
    return result


def describe(error: BaseException) -> str:
    """Return ``error`` as "TypeName: message", redacted, printable and at most LONGEST characters; never raises.

    A ContainedError is that already, and a TimeoutError of ``contained_in_time`` needs no type.
    """
    if isinstance(error, ContainedError | TimeoutError):
        return bounded(str(error))
    name = type(error).__name__[:LONGEST]
    try:
        message = str(error)
    except BaseException:  # noqa: BLE001 - its own __str__ may raise anything
        message = "its message cannot be read"
    return bounded(f"{name}: {message}" if message else name)


def _is_short(error: Exception) -> bool:
    try:
        return len(str(error)) <= LONGEST and all(len(str(value)) <= LONGEST for value in vars(error).values())
    except BaseException:  # noqa: BLE001 - its own __str__ may raise anything
        return False
