"""``facesecure alerts``: list the alert plugins, try one, and show the history."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facesecure.cli import output
from facesecure.cli.alert_history import show_history
from facesecure.cli.output import Json, examples, group
from facesecure.cli.plugin_commands import PluginCommandGroup
from facesecure.cli.settings import REGISTRY_LOG, configure_logging, settings_of, silenced, state_of

if TYPE_CHECKING:
    from facesecure.services.alert_plugins import PluginOverview

app = group(
    "Alert plugins: list, test, history.",
    "facesecure alerts list",
    "facesecure alerts test log",
    cls=PluginCommandGroup,
)

app.command("history", epilog=examples("facesecure alerts history", "facesecure alerts history --since 12h --json"))(
    show_history
)

_STYLES = {"enabled": "green", "disabled": "dim"}


@app.command("list", epilog=examples("facesecure alerts list", "facesecure alerts list --json"))
def list_plugins(context: typer.Context, json: Json = False) -> None:
    """List the plugins, and whether each works now.

    "waiting" counts the alerts that are still to be delivered, "failed" those of the last day that were not delivered.
    """
    from facesecure.services import alert_plugins

    config = settings_of(context).config()
    with silenced(REGISTRY_LOG):
        plugins = alert_plugins.list_plugins(config, state_of(config))
    if json:
        output.emit_json({"plugins": [_document(plugin) for plugin in plugins]})
        return
    columns = ("plugin", "status", "waiting", "failed", "from", "what", "to do")
    output.table(columns, [_row(plugin) for plugin in plugins], right=("waiting", "failed"))


def _row(plugin: PluginOverview) -> tuple[object, ...]:
    record = plugin.record
    status = output.coloured(record.status.value, _STYLES.get(record.status.value, "red"))
    what = record.reason or record.description
    return record.name, status, plugin.waiting, plugin.failed, record.origin, what, record.hint


def _document(plugin: PluginOverview) -> dict[str, Any]:
    record = plugin.record
    return {
        "name": record.name,
        "status": record.status.value,
        "reason": record.reason or None,
        "hint": record.hint or None,
        "description": record.description or None,
        "origin": record.origin or None,
        "waiting": plugin.waiting,
        "failed": plugin.failed,
    }


@app.command(
    "test",
    epilog=examples(
        "facesecure alerts test log",
        "facesecure alerts test google_home --say 'Dinner is ready'",
        "facesecure alerts test push",
    ),
)
def try_plugin(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="PLUGIN",
            help="The plugin; see `facesecure alerts list`. push: the browsers that asked for notifications.",
        ),
    ],
    say: Annotated[str | None, typer.Option(metavar="TEXT", help="Text to send instead of the test message.")] = None,
    json: Json = False,
) -> None:
    """Send a test alert through one plugin.

    Waits until it is delivered.
    """
    from facesecure.alerts.speech.synthesizer import SpeechService
    from facesecure.services.alert_plugins import send_test_alert

    settings = settings_of(context)
    configure_logging(settings, usual=logging.INFO)  # the log plugin delivers through the log
    config = settings.config()
    with SpeechService(config.speech, state_of(config)) as speech, silenced(REGISTRY_LOG):
        seconds = send_test_alert(name, config, state_of(config), speech, say)
    if json:
        output.emit_json({"plugin": name, "delivered": True, "seconds": seconds})
    else:
        output.say(f"{name} delivered the test alert in {seconds:.2f} s")
