"""``facesecure arm``: set the mode to home, away or off."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from facesecure.cli import output
from facesecure.cli.control_client import ask_daemon
from facesecure.cli.output import Json
from facesecure.cli.settings import settings_of, state_of
from facesecure.domain.mode import Mode

if TYPE_CHECKING:
    from facesecure.cli.settings import Settings


def arm(
    context: typer.Context,
    mode: Annotated[
        Mode, typer.Argument(help="home: someone is at home; away: no one is; off: no alerts about people.")
    ],
    json: Json = False,
) -> None:
    """Arm or disarm: home, away or off.

    It takes effect at once and is kept over a restart; if facesecure is not running, it applies from the next start.
    Needs root or membership of the group facesecure.
    """
    from facesecure.domain.errors import NoDaemonError

    settings = settings_of(context)
    try:
        result = {**ask_daemon(settings, "arm", {"mode": mode.value}), "running": True}
    except NoDaemonError:
        result = _for_the_next_start(settings, mode)
        with suppress(NoDaemonError):  # a daemon may have started meanwhile with the old mode
            result = {**ask_daemon(settings, "arm", {"mode": mode.value}), "before": result["before"], "running": True}
    if result["warning"]:
        output.note(f"warning: {result['warning']}")
    if json:
        output.emit_json(result)
        return
    soon = f" in {result['leaving']:.0f} s" if result["leaving"] else ""
    words = f"{Mode(result['set']).words}{soon} (was {Mode(result['before']).words})"
    output.say(words if result["running"] else f"{words}; facesecure is not running: this applies from its next start")


def _for_the_next_start(settings: Settings, mode: Mode) -> dict[str, object]:
    from facesecure.alerts.policy.arming import Arming
    from facesecure.services.audit import audited

    config = settings.config()
    with audited(state_of(config), "armed", mode.value):
        before = Arming(state_of(config), Mode(config.policy.mode)).arm(mode)
    told = {"mode": mode.value, "before": before.mode.value, "set": mode.value, "leaving": None}
    return {**told, "warning": None, "running": False}
