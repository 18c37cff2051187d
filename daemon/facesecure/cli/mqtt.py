"""``facesecure mqtt``: what lies on the MQTT broker."""

from __future__ import annotations

import typer

from facesecure.cli import output
from facesecure.cli.output import Json, examples, group
from facesecure.cli.settings import settings_of, state_of

app = group(
    "The MQTT broker, for Home Assistant and others. docs/home-assistant.md explains how to set it up.",
    "facesecure mqtt forget",
)


@app.command("forget", epilog=examples("facesecure mqtt forget", "facesecure mqtt forget --json"))
def forget(context: typer.Context, json: Json = False) -> None:
    """Remove from the broker everything that facesecure has left there.

    Home Assistant then forgets the house and its cameras. Set enabled = false in [mqtt] before: a running facesecure
    publishes again.
    """
    from facesecure.mqtt.forget import forget as removed

    config = settings_of(context).config()
    topics = removed(config, state_of(config))
    if config.mqtt.enabled:
        output.note("hint: [mqtt] is enabled: facesecure publishes again when it runs")
    if json:
        output.emit_json({"removed": topics})
    else:
        output.say(f"removed {len(topics)} topics from {config.mqtt.host}")
