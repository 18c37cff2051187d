"""``facesecure alerts devices``: list the Google Home and other Cast devices on the network."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facesecure.cli import output
from facesecure.cli.output import Json, examples
from facesecure.cli.settings import settings_of
from facesecure.util.plain_text import quoted

if TYPE_CHECKING:
    from facesecure_plugins.google_home.device import Device, Loudness

STATUS_SECONDS = 3.0
"""Time limit for reading the volume of one device."""

Timeout = Annotated[float, typer.Option(min=0.1, max=60, help="Seconds to listen for devices.")]
Accept = Annotated[
    str, typer.Option(metavar="DEVICE", help="Accept that this device was replaced: the next one of its name is taken.")
]
Volume = Annotated[bool, typer.Option("--volume", help="Also show the volume of each device.")]

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(
    "devices",
    epilog=examples(
        "facesecure alerts devices",
        "facesecure alerts devices --volume --json",
        "facesecure alerts devices --accept Kitchen",
    ),
    context_settings={"help_option_names": ["--help", "-h"], "max_content_width": 100},
)
def list_devices(
    context: typer.Context, timeout: Timeout = 4.0, volume: Volume = False, accept: Accept = "", json: Json = False
) -> None:
    """List the Google Home and other Cast devices on the network, groups included.

    Announcements are made on the devices that made the first one; a device that has taken the name of one is refused.
    """
    if accept:
        output.note(_forget(settings_of(context).state(), accept))
        return
    logging.getLogger("zeroconf").setLevel(logging.ERROR)  # hides warnings about interfaces without a network
    devices = nearby(timeout, _interfaces(settings_of(context).config().plugins))
    loudness = volumes(devices) if volume else [None] * len(devices)
    if json:
        output.emit_json({"devices": [_document(*pair) for pair in zip(devices, loudness, strict=True)]})
        return
    if devices:
        columns = ("name", "kind", "model", "address", "uuid", *(("volume",) if volume else ()))
        output.table(columns, [_row(*pair)[: len(columns)] for pair in zip(devices, loudness, strict=True)])
    output.note(_advice(devices, timeout))


def _forget(state_dir: Path, text: str) -> str:
    from facesecure.services.audit import record
    from facesecure_plugins.google_home.known_devices import KnownDevices

    if KnownDevices(state_dir).forget(text):
        record(state_dir, "speaker-accepted", text)
        return f"{text}: the device that makes the next announcement is the known one from then on"
    return f"{text}: no device of this name is known, so any is accepted"


def nearby(seconds: float, interfaces: Sequence[str] = ()) -> list[Device]:
    """Return the devices that answer within ``seconds``, by name. Raises PluginError without a network."""
    from facesecure_plugins.google_home.discovery import Browser

    with contextlib.closing(Browser(interfaces)) as browser:
        browser.start()
        return browser.wait_for(lambda found: False, seconds)  # noqa: ARG005


def volumes(devices: Sequence[Device]) -> list[Loudness | None]:
    """Return the volume of each device, None if it does not answer; they are queried in parallel."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(max_workers=8) as pool:
        return list(pool.map(_volume, devices))


def _volume(device: Device) -> Loudness | None:
    from facesecure.domain.errors import PluginError
    from facesecure_plugins.google_home.session import connect

    try:
        with connect(device, STATUS_SECONDS) as session:
            return session.loudness
    except PluginError:
        return None


def _interfaces(plugins: dict[str, dict[str, Any]]) -> list[str]:
    """Return the plugin's setting ``interfaces``; errors in the rest of its table do not matter here."""
    named = plugins.get("google_home", {}).get("interfaces", [])
    return [str(address) for address in named] if isinstance(named, list) else []


def _document(device: Device, loudness: Loudness | None) -> dict[str, Any]:
    found = {"name": device.name, "uuid": device.uuid and str(device.uuid), "kind": device.kind, "model": device.model}
    return found | {
        "address": device.address,
        "addresses": [host for host, _ in device.addresses],
        "volume": None if loudness is None else loudness.level,
        "muted": None if loudness is None else loudness.muted,
    }


def _row(device: Device, loudness: Loudness | None) -> tuple[object, ...]:
    return device.name, device.kind, device.model, device.address, device.uuid, loudness


def _advice(devices: list[Device], timeout: float) -> str:
    if not devices:
        return f"no Cast device answered within {timeout:g} s: is one on, and in the same network as this machine?"
    return f"to speak there: [plugins.google_home] devices = [{quoted(devices[0].name)}]"
