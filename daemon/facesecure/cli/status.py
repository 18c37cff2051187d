"""``facesecure status``: show the state of the running daemon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from facesecure.cli import output
from facesecure.cli.control_client import ask_daemon
from facesecure.cli.output import Json
from facesecure.cli.presence import presence_rows
from facesecure.cli.settings import settings_of, state_of

if TYPE_CHECKING:
    from facesecure.cli.settings import Settings


def status(context: typer.Context, json: Json = False) -> None:
    """Show the state of the running daemon.

    Its mode, cameras, people, the last sighting, plugins and waiting alerts. Exits with 1 if it is not running.
    Needs root or membership of the group facesecure.
    """
    from facesecure.domain.errors import NoDaemonError

    settings = settings_of(context)
    try:
        found = {"running": True, **ask_daemon(settings, "status")}
    except NoDaemonError as error:
        _not_running(settings, error, json)
        raise typer.Exit(1) from None
    if json:
        output.emit_json(found)
    else:
        _show(found)


def _not_running(settings: Settings, error: Any, json: bool) -> None:
    from facesecure.alerts.policy.arming import Arming
    from facesecure.domain.mode import Mode

    config = settings.config()
    mode = Arming(state_of(config), Mode(config.policy.mode)).armed.mode
    if json:
        output.emit_json({"running": False, "mode": mode.value})
    else:
        output.say(f"not running; {mode.words} at its next start")
    output.note(f"hint: {error.hint}")


def _show(found: dict[str, Any]) -> None:
    output.say(found["line"])
    rows = [("people", ", ".join(found["people"]) or "no one enrolled"), ("last seen", _seen(found["last_seen"]))]
    cameras = found.get("cameras", [found["camera"]])
    rows = [*(_camera(found["camera"]) if len(cameras) < 2 else map(_one_of_several, cameras)), *rows]
    rows += [(f"presence {name}", where) for name, where in presence_rows(found)] if found.get("presence") else []
    rows += [("calibration", found["calibration"])] if found.get("calibration") else []
    rows.append(("alerts waiting", str(found["pending"])))
    rows += [("problem", problem) for problem in found.get("problems", ())]
    rows += list(found.get("troubles", {}).items())
    rows += [(f"door {door['name']}", _door(door)) for door in found.get("doors", ())]
    rows += _update(found.get("update"))
    output.table(("", ""), [*rows, *(("plugin " + plugin["name"], _plugin(plugin)) for plugin in found["plugins"])])


def _door(door: dict[str, Any]) -> str:
    """Return how another door of the household is."""
    if door["heard_at"] is None:
        return "not heard of yet"
    said = [f"not heard of since {door['heard_at'][:16].replace('T', ' ')} UTC"] if door["silent"] else []
    said += [f"no image from the {camera}" for camera in door["lost"]]
    said += door["troubles"]
    last = door["last_visit"]
    said += [f"last seen {last['name'] or last['verdict']} at {last['at'][:16].replace('T', ' ')} UTC"] if last else []
    return "; ".join(said) or "no one seen yet"


def _update(update: dict[str, Any] | None) -> list[tuple[str, str]]:
    if update and update["newer"]:
        return [("update", f"{update['newer']} is out; this is {update['installed']}")]
    if update and update["problem"]:
        return [("update", f"not known: {update['problem']}")]
    return []


def _camera(camera: dict[str, Any]) -> list[tuple[str, str]]:
    rows = [("camera", camera["trouble"])] if camera["trouble"] else []
    rows += [("main stream", camera["main_trouble"])] if camera.get("main_trouble") else []
    rows += [("source", camera["source"])] if camera.get("source") else []
    rows.append(("last frame", _frames(camera)))
    rows += [("filming", camera["clip"])] if camera.get("clip") else []
    return rows + [("ignored", _fixed(*face)) for face in camera.get("fixed_faces", ())]


def _one_of_several(camera: dict[str, Any]) -> tuple[str, str]:
    """Return the row of one of several cameras, with all that there is to say of it."""
    parts = [camera["trouble"]] if camera["trouble"] else []
    parts += [f"main stream: {camera['main_trouble']}"] if camera.get("main_trouble") else []
    parts.append(f"last frame {_frames(camera)}")
    parts += [camera["source"]] if camera["source"] not in (camera["trouble"] or "") else []
    parts += [f"ignores {_fixed(*face)}" for face in camera["fixed_faces"]]
    parts += [f"filming {camera['clip']}"] if camera.get("clip") else []
    return f"camera {camera['name']}", "; ".join(parts)


def _frames(camera: dict[str, Any]) -> str:
    """Return when the last frame came, and how many come a second."""
    age, rate = camera.get("last_frame_seconds"), camera.get("fps")
    came = "none yet" if age is None else f"{age:.1f} s ago"
    return came + (f", {rate:.1f} a second" if rate else "")


def _fixed(left: int, top: int, right: int, bottom: int) -> str:
    return f"a face that does not move, {right - left}x{bottom - top} pixels at {left},{top}"


def _seen(seen: dict[str, Any] | None) -> str:
    if seen is None:
        return "no one yet"
    subject = f" ({seen['subject']})" if seen.get("subject") else ""
    return f"{seen['name'] or seen['verdict']}{subject}, {seen['ago']}"


def _plugin(plugin: dict[str, Any]) -> str:
    words = [f"{plugin['sent']} sent"]
    words += [f"{plugin[what]} {what}" for what in ("failed", "dropped", "waiting") if plugin[what]]
    words += ["hangs"] if plugin.get("hung") else []
    return ", ".join(words) + (f" (last error: {plugin['last_error']})" if plugin["last_error"] else "")
