"""``facesecure alerts``: who would be told, and does it arrive?"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facesecure.cli import output
from facesecure.cli.alert_history import open_deliveries, show_history
from facesecure.cli.output import Json, examples, group
from facesecure.cli.plugin_commands import PluginCommandGroup
from facesecure.cli.settings import REGISTRY_LOG, configure_logging, settings_of, silenced, state_of

if TYPE_CHECKING:
    from facesecure.alerts.plugins.api import Speech
    from facesecure.alerts.plugins.loader import PluginRecord
    from facesecure.config import FacesecureConfig
    from facesecure.domain import Alert

app = group(
    "The alert plugins: list them, try one.",
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
    """List the plugins that are installed or configured, and whether each would work now.

    "waiting" counts alerts that are still to be delivered, "failed" those of the last day that never were.
    """
    from facesecure.alerts.plugins.registry import Registry

    config = settings_of(context).config()
    with silenced(REGISTRY_LOG):
        registry = Registry.load(config.plugins)
    for plugin in registry.enabled().values():
        plugin.close()
    counts = open_deliveries(config)
    counted = [(record, counts.get(record.name, {"waiting": 0, "failed": 0})) for record in registry.records]
    if json:
        output.emit_json({"plugins": [_document(record) | count for record, count in counted]})
        return
    rows = [
        (r.name, _status(r), count["waiting"], count["failed"], r.origin, r.reason or r.description, r.hint)
        for r, count in counted
    ]
    columns = ("plugin", "status", "waiting", "failed", "from", "what", "to do")
    output.table(columns, rows, right=("waiting", "failed"))


def _status(record: PluginRecord) -> Any:
    return output.coloured(record.status.value, _STYLES.get(record.status.value, "red"))


def _document(record: PluginRecord) -> dict[str, str | None]:
    texts = {"reason": record.reason, "hint": record.hint, "description": record.description, "origin": record.origin}
    return {"name": record.name, "status": record.status.value, **{key: text or None for key, text in texts.items()}}


@app.command(
    "test", epilog=examples("facesecure alerts test log", "facesecure alerts test google_home --say 'Dinner is ready'")
)
def try_plugin(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="PLUGIN", help="The plugin; alerts list shows them.")],
    say: Annotated[str | None, typer.Option(metavar="TEXT", help="Other words than those of a test.")] = None,
    json: Json = False,
) -> None:
    """Send an alert that says it is a test through one plugin, and wait until it was delivered."""
    from facesecure.alerts.speech.synthesizer import SpeechService

    settings = settings_of(context)
    configure_logging(settings, usual=logging.INFO)  # a plugin may tell through the log
    config = settings.config()
    with SpeechService(config.speech, state_of(config)) as studio:
        seconds = _deliver(_usable(name, config, studio), _test_alert(config, say))
    if json:
        output.emit_json({"plugin": name, "delivered": True, "seconds": seconds})
    else:
        output.say(f"{name} delivered the test alert in {seconds:.2f} s")


def _usable(name: str, config: FacesecureConfig, speech: Speech) -> PluginRecord:
    """The plugin's record, configured, ready and lent a voice; only this one is loaded."""
    from facesecure.alerts.plugins.api import PluginContext
    from facesecure.alerts.plugins.registry import Registry
    from facesecure.domain.errors import PluginError

    tables = {name: config.plugins[name]} if name in config.plugins else {}
    context = PluginContext(state_of(config), config.camera.name, config.speech.language, speech, lambda *_: None)
    with silenced(REGISTRY_LOG):
        record = Registry.load(tables, context=context).record(name)
    if record.plugin is None:
        hint = record.hint or f"add [plugins.{name}] to the configuration"
        raise PluginError(f"plugin {name} cannot be tried, {record.status.value}: {record.reason}", hint)
    return record


def _deliver(record: PluginRecord, alert: Alert) -> float:
    """Seconds until the plugin had delivered ``alert``. Raises PluginError if it did not."""
    from facesecure.domain.errors import FacesecureError, PluginError

    assert record.plugin is not None
    began = time.monotonic()
    try:
        record.plugin.send(alert)
    except FacesecureError:
        raise
    except Exception as error:
        raise PluginError(
            f"plugin {record.name} did not deliver: {type(error).__name__}: {error}",
            f"check its settings, [plugins.{record.name}], and that what it talks to is on",
        ) from error
    finally:
        record.plugin.close()
    return time.monotonic() - began


def _test_alert(config: FacesecureConfig, words: str | None) -> Alert:
    """An alert that cannot be taken for a real one, unless ``words`` make it one."""
    from facesecure.alerts.speech.announcements import phrases_of
    from facesecure.domain import Alert, AlertKind

    return Alert(AlertKind.TEST, words or phrases_of(config).test())
