"""Checks of speech: voices that work, and sentences that are recorded before they are needed."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from facesecure.alerts.speech.voices.base import Voice
from facesecure.domain.errors import PluginError
from facesecure.services.diagnostics.result import CheckContext, CheckResult, Health, fail, ok, warn
from facesecure.services.diagnostics.state import database

_SAMPLE = "1 2 3"
_SECONDS = 8.0
_OFFLINE = "sudo apt install espeak-ng, or pip install 'facesecure[offline-voice]' (English)"


def voices(patient: CheckContext) -> Iterator[CheckResult]:
    """Each voice that is configured says something now."""
    from facesecure.alerts.speech.voices import build_voices

    if not _aloud(patient):
        yield ok("voices", f"none is needed: {_silent(patient)}")
        return
    wanted = [voice for voice in build_voices(patient.config.speech) if not _left_out(voice, patient)]
    found = [_tried(patient, voice) for voice in wanted]
    works = [finding for finding in found if finding.health is Health.OK]
    if works:
        yield from found
    else:
        yield from (fail(finding.about, finding.what, finding.remedy) for finding in found)
    if [finding.about for finding in works] == ["voice gtts"]:
        yield warn("voices", "without the network nothing new can be said", _OFFLINE)


def _aloud(patient: CheckContext) -> bool:
    """Whether a plugin that speaks is in the configuration."""
    config = patient.config
    return any(config.plugins.get(name, {"enabled": False}).get("enabled", True) for name in config.policy.aloud)


def _silent(patient: CheckContext) -> str:
    tables = " or ".join(f"[plugins.{name}]" for name in patient.config.policy.aloud)
    return f"there is no {tables or 'plugin that speaks'}"


def _tried(patient: CheckContext, voice: Voice) -> CheckResult:
    """What became of asking ``voice`` for three words; nothing of it is kept, and no name is told to anybody."""
    from facesecure.alerts.speech.cache import SpeechCache
    from facesecure.alerts.speech.jobs import SynthesisJobs

    about, speech = f"voice {voice.name}", patient.config.speech
    if obstacle := voice.obstacle(speech.language):
        return _lacking(about, obstacle)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        takes = SynthesisJobs(SpeechCache(Path(folder), [voice]), [voice], speech.language, speech.silence)
        try:
            takes.begin(voice, _SAMPLE).result(_SECONDS)
        except PluginError as error:
            return _lacking(about, error)
        except TimeoutError:
            return warn(about, f"said nothing within {_SECONDS:g} s", "try it again; alarms use the next voice")
        finally:
            takes.close()
    return ok(about, f"speaks {speech.language}, {time.monotonic() - began:.1f} s for three words")


def _left_out(voice: Voice, patient: CheckContext) -> bool:
    """Whether nobody asked for it, and it is not here: piper is tried by default where it happens to be installed."""
    speech = patient.config.speech
    by_default = "voices" not in speech.model_fields_set and voice.name == "piper"
    return by_default and voice.obstacle(speech.language) is not None


def _lacking(about: str, obstacle: PluginError) -> CheckResult:
    return warn(about, obstacle.message, obstacle.hint or "")


def sentences(patient: CheckContext) -> Iterator[CheckResult]:
    """Everything that the household can need said is recorded, by the best voice there is."""
    from facesecure.alerts.speech import announcements
    from facesecure.alerts.speech.synthesizer import SpeechService

    config = patient.config
    if not _aloud(patient):
        return
    needed = announcements.sentences(config, _names(patient))
    with SpeechService(config.speech, patient.state_dir) as studio:
        recorded = [text for text in needed if studio.recorded(text)]
        best = [text for text in recorded if studio.best(text)]
    yield _ready(needed, recorded, best)


def _ready(needed: Sequence[str], recorded: Sequence[str], best: Sequence[str]) -> CheckResult:
    if len(recorded) < len(needed):
        what = f"{len(needed) - len(recorded)} of {len(needed)} are not recorded: an alarm must wait for a voice"
        return warn("sentences", what, "facesecure run records them, or now: facesecure speech prepare")
    if len(best) < len(needed):
        return ok("sentences", f"{len(needed)} are recorded, {len(needed) - len(best)} until a better voice answers")
    return ok("sentences", f"all {len(needed)} are recorded")


def _names(patient: CheckContext) -> list[str]:
    from facesecure.services.people import known_names

    return known_names(patient.config.recognizer, patient.state_dir, _enrolled(patient))


def _enrolled(patient: CheckContext) -> list[str]:
    if not database(patient).exists():
        return []
    from facesecure.storage.store import Store

    with Store.open(patient.state_dir) as store:
        return [person.name for person in store.people()]
