"""``facesecure speech``: what can be said, and whether it is recorded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facesecure.cli import output
from facesecure.cli.output import Json, examples, group
from facesecure.cli.settings import open_store, settings_of, state_of

if TYPE_CHECKING:
    from facesecure.alerts.speech.synthesizer import SpeechService
    from facesecure.config import FacesecureConfig

app = group(
    "What is said aloud: list, say, prepare.",
    "facesecure speech list",
    "facesecure speech say 'Dinner is ready'",
    "facesecure speech prepare",
)


@app.command("list", epilog=examples("facesecure speech list", "facesecure speech list --json"))
def list_sentences(context: typer.Context, json: Json = False) -> None:
    """List every sentence that this household can need, and how it is recorded.

    The words are in the configuration, under [speech] phrases and in the rules of [policy].
    """
    from facesecure.alerts.speech.announcements import sentences

    config = settings_of(context).config()
    with _studio(config) as studio:
        rows = [_row(studio, sentence) for sentence in sentences(config, _names(config))]
    if json:
        output.emit_json({"language": config.speech.language, "sentences": rows})
        return
    shown = ((row["text"], row["voice"] or "not recorded", row["seconds"]) for row in rows)
    output.table(("sentence", "voice", "seconds"), shown, right=("seconds",))


@app.command(
    "say", epilog=examples("facesecure speech say 'Dinner is ready'", "facesecure speech say Hello --out hello.mp3")
)
def say(
    context: typer.Context,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The words, in the language of [speech].")],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write them to this MP3 file instead of saying them.")
    ] = None,
    json: Json = False,
) -> None:
    """Say something through the loudspeaker of this machine, in the voice that alarms have.

    The device is that of [plugins.speaker]. To try a Google Home: facesecure alerts test google_home.
    """
    config = settings_of(context).config()
    with _studio(config) as studio:
        recording = studio.recording(text)
        row = _row(studio, text)
        if out is None:
            _play(config, studio, text)
        else:
            out.write_bytes(recording.read_bytes())
    if json:
        output.emit_json({**row, "file": out})
    else:
        by = f" by {row['voice']}, {row['seconds']:.1f} s" if row["voice"] else ""
        output.say(f"{out} says it{by}" if out else f"said it{by}")


@app.command("prepare", epilog=examples("facesecure speech prepare", "facesecure speech prepare --json"))
def prepare(context: typer.Context, json: Json = False) -> None:
    """Record whatever is not recorded yet, by the best voice that answers now.

    The daemon does this by itself. Ends with 1 if a sentence is left without a recording.
    """
    from facesecure.alerts.speech.announcements import sentences

    config = settings_of(context).config()
    needed = sentences(config, _names(config))
    with _studio(config) as studio, output.progress(quiet=json) as progress:
        for text in progress.track(needed, description="recording"):
            studio.improve(text)
        rows = [_row(studio, text) for text in needed]
    missing = [row["text"] for row in rows if row["voice"] is None]
    if json:
        output.emit_json({"needed": len(rows), "missing": missing, "sentences": rows})
    else:
        _summary(rows, len(missing))
    if missing:
        raise typer.Exit(1)


def _summary(rows: list[dict[str, Any]], missing: int) -> None:
    voices = [row["voice"] for row in rows if row["voice"]]
    by_voice = ", ".join(f"{voices.count(voice)} by {voice}" for voice in dict.fromkeys(voices))
    output.say(f"{len(voices)} of {len(rows)} sentences are recorded{f': {by_voice}' if by_voice else ''}")
    if missing:
        output.note("hint: facesecure doctor says what each voice lacks")


def _studio(config: FacesecureConfig) -> SpeechService:
    from facesecure.alerts.speech.synthesizer import SpeechService

    return SpeechService(config.speech, state_of(config))


def _names(config: FacesecureConfig) -> list[str]:
    """Whose names may have to be said."""
    from facesecure.services.people import known_names

    return known_names(config.recognizer, state_of(config), _enrolled(config))


def _enrolled(config: FacesecureConfig) -> list[str]:
    """Who is enrolled; nobody where there is no database yet, and none is made."""
    from facesecure.storage.store import DATABASE_NAME

    if not (state_of(config) / DATABASE_NAME).exists():
        return []
    with open_store(config) as store:
        return [person.name for person in store.people()]


def _row(studio: SpeechService, text: str) -> dict[str, Any]:
    """How a sentence is recorded: by which voice, how long, where; all None where it is not."""
    found = studio.recorded(text)
    if found is None:
        return {"text": text, "voice": None, "seconds": None, "path": None}
    return {
        "text": text,
        "voice": studio.voices[found.rank].name,
        "seconds": studio.length(found.path),
        "path": found.path,
    }


def _play(config: FacesecureConfig, studio: SpeechService, text: str) -> None:
    """Through the speaker plugin, by its settings. Raises PluginError."""
    from pydantic import ValidationError

    from facesecure.alerts.plugins.api import PluginContext
    from facesecure.domain import Alert, AlertKind
    from facesecure.domain.errors import ConfigError
    from facesecure_plugins.speaker import SpeakerPlugin

    table = {key: value for key, value in config.plugins.get("speaker", {}).items() if key != "enabled"}
    try:
        plugin = SpeakerPlugin(SpeakerPlugin.Config.model_validate(table))
    except ValidationError as error:
        raise ConfigError("[plugins.speaker] is wrong", hint="facesecure alerts list says what it is") from error
    language, place = config.speech.language, config.camera.name
    plugin.attach(PluginContext(state_of(config), place, language, studio, lambda *_: None))
    plugin.send(Alert(AlertKind.TEST, text))
