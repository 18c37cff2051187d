"""``facesecure speech``: list, record and play the spoken sentences."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facesecure.cli import output
from facesecure.cli.output import Json, examples, group
from facesecure.cli.settings import REGISTRY_LOG, settings_of, silenced, state_of

if TYPE_CHECKING:
    from facesecure.services.speech import SentenceRecording

app = group(
    "Spoken announcements: list, say, prepare.",
    "facesecure speech list",
    "facesecure speech say 'Dinner is ready'",
    "facesecure speech prepare",
)


@app.command("list", epilog=examples("facesecure speech list", "facesecure speech list --json"))
def list_sentences(context: typer.Context, json: Json = False) -> None:
    """List the sentences and their recordings.

    These are all sentences the household can need. The wording is in the configuration: [speech] phrases and the
    rules of [policy].
    """
    from facesecure.services.speech import list_recordings

    config = settings_of(context).config()
    recordings = list_recordings(config, state_of(config))
    if json:
        sentences = [_document(recording) for recording in recordings]
        output.emit_json({"language": config.speech.language, "sentences": sentences})
        return
    rows = [(recording.text, recording.voice or "not recorded", recording.seconds) for recording in recordings]
    output.table(("sentence", "voice", "seconds"), rows, right=("seconds",))


@app.command(
    "say", epilog=examples("facesecure speech say 'Dinner is ready'", "facesecure speech say Hello --out hello.mp3")
)
def say(
    context: typer.Context,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The text, in the language of [speech].")],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write an MP3 file instead of playing the text.")
    ] = None,
    json: Json = False,
) -> None:
    """Say a text through this machine's loudspeaker.

    Uses the voice of the alerts, and the device in [plugins.speaker]. To try a Google Home: facesecure alerts test
    google_home.
    """
    from facesecure.services import speech

    config = settings_of(context).config()
    with silenced(REGISTRY_LOG):
        recording = speech.say(text, config, state_of(config), out)
    if json:
        output.emit_json({**_document(recording), "file": out})
        return
    by = f" by {recording.voice}, {recording.seconds:.1f} s" if recording.voice else ""
    output.say(f"{out} is recorded{by}" if out else f"said{by}")


@app.command("prepare", epilog=examples("facesecure speech prepare", "facesecure speech prepare --json"))
def prepare(context: typer.Context, json: Json = False) -> None:
    """Record the sentences that are missing.

    Uses the best voice that works now. The daemon does this by itself. Exits with 1 if a sentence is left without a
    recording.
    """
    from facesecure.services.speech import prepare_recordings

    config = settings_of(context).config()
    with output.progress(quiet=json) as progress:
        recordings = prepare_recordings(config, state_of(config), progress)
    missing = [recording.text for recording in recordings if recording.voice is None]
    if json:
        sentences = [_document(recording) for recording in recordings]
        output.emit_json({"needed": len(recordings), "missing": missing, "sentences": sentences})
    else:
        _summary(recordings, len(missing))
    if missing:
        raise typer.Exit(1)


def _summary(recordings: list[SentenceRecording], missing: int) -> None:
    voices = [recording.voice for recording in recordings if recording.voice]
    by_voice = ", ".join(f"{voices.count(voice)} by {voice}" for voice in dict.fromkeys(voices))
    output.say(f"{len(voices)} of {len(recordings)} sentences are recorded{f': {by_voice}' if by_voice else ''}")
    if missing:
        output.note("hint: facesecure doctor shows what each voice needs")


def _document(recording: SentenceRecording) -> dict[str, Any]:
    return {
        "text": recording.text,
        "voice": recording.voice,
        "seconds": recording.seconds,
        "path": recording.path,
    }
