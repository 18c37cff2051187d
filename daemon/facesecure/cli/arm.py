"""``facesecure arm``: at home, away, or left alone."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from facesecure.alerts.policy.arming import Arming, Mode
from facesecure.cli import output
from facesecure.cli.control_client import ask_daemon
from facesecure.cli.output import Json
from facesecure.cli.settings import settings_of, state_of

if TYPE_CHECKING:
    from facesecure.cli.settings import Settings


def arm(
    context: typer.Context,
    mode: Annotated[Mode, typer.Argument(help="off: nobody is told of anybody.")],
    json: Json = False,
) -> None:
    """Say whether somebody is at home; off disarms. It acts at once, and outlives a restart.

    Where facesecure is not running, it is kept for the next start. Needs root, or the group facesecure.
    """
    from facesecure.domain.errors import NoDaemonError

    settings = settings_of(context)
    try:
        result = {**ask_daemon(settings, "arm", {"mode": mode.value}), "running": True}
    except NoDaemonError:
        result = _for_the_next_start(settings, mode)
        with suppress(NoDaemonError):  # one may have started meanwhile, and read what was there before
            result = {**ask_daemon(settings, "arm", {"mode": mode.value}), "before": result["before"], "running": True}
    if result["warning"]:
        output.note(f"warning: {result['warning']}")
    if json:
        output.emit_json(result)
        return
    words = f"{Mode(result['mode']).words} (was {Mode(result['before']).words})"
    output.say(words if result["running"] else f"{words}; facesecure is not running: it holds from its next start")


def _for_the_next_start(settings: Settings, mode: Mode) -> dict[str, object]:
    config = settings.config()
    before = Arming(state_of(config), Mode(config.policy.mode)).arm(mode)
    return {"mode": mode.value, "before": before.mode.value, "warning": None, "running": False}
