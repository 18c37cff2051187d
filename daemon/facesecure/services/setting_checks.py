"""The checks of single sections of a configuration on this machine, without network, camera and loudspeaker.

Each takes the sections and the state directory, and yields what is wrong. Settings that the schema refuses are left
out.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from facesecure.config import (
    AlertsConfig,
    CameraConfig,
    DetectorConfig,
    FacesecureConfig,
    InferenceConfig,
    RecognizerConfig,
    SpeechConfig,
)
from facesecure.config.loader import Problem
from facesecure.config.policy import PolicyConfig
from facesecure.config.toml_lines import KeyPath
from facesecure.config.wording import dotted
from facesecure.domain.errors import FacesecureError, ModelError, SourceError, did_you_mean
from facesecure.domain.interfaces import ENTRY_POINT_GROUP
from facesecure.util.paths import expanded

if TYPE_CHECKING:
    from facesecure.alerts.plugins.loader import PluginRecord

Kind = TypeVar("Kind")


class Sections:
    """The sections of a configuration, each without its wrong settings; None where that leaves nothing valid.

    Example::

        Sections({"camera": {"fps": -5, "name": "door"}}).cameras[("camera",)].name  # "door"
    """

    def __init__(self, tables: Mapping[str, Any]) -> None:
        """Validate each section of ``tables``."""
        self.cameras = dict(_cameras(tables))
        self.detector = _section(DetectorConfig, tables.get("detector", {}))
        self.recognizer = _section(RecognizerConfig, tables.get("recognizer", {}))
        self.inference = _section(InferenceConfig, tables.get("inference", {}))
        self.speech = _section(SpeechConfig, tables.get("speech", {}))
        self.policy = _section(PolicyConfig, tables.get("policy", {}))
        self.alerts = _section(AlertsConfig, tables.get("alerts", {}))
        self.state_dir = _section(Path, tables.get("state_dir"))
        named = tables.get("plugins", {})
        own = {name: table for name, table in named.items() if _is_table(table)} if _is_table(named) else {}
        self.plugins: Mapping[str, Mapping[str, Any]] = {**FacesecureConfig().plugins, **own}

    def uses(self, plugin: str) -> bool:
        """Return whether the plugin of this name is in use."""
        return plugin in self.plugins and self.plugins[plugin].get("enabled", True) is True


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping)


def _section(kind: type[Kind], table: Any) -> Kind | None:
    """Return the section without its wrong settings, None if that leaves none that is valid."""
    try:
        return TypeAdapter(kind).validate_python(table)
    except ValidationError as error:
        wrong = {details["loc"][0] for details in error.errors() if details["loc"]}
    left = {key: value for key, value in table.items() if key not in wrong} if _is_table(table) else None
    return None if left is None or len(left) == len(table) else _section(kind, left)


def _cameras(tables: Mapping[str, Any]) -> Iterator[tuple[KeyPath, CameraConfig]]:
    """Yield each camera whose source is text, with the path of its table."""
    several = tables.get("cameras")
    found: list[tuple[KeyPath, Any]] = [(("camera",), tables.get("camera", {}))]
    if isinstance(several, list) and several:
        found = [(("cameras", number), table) for number, table in enumerate(several)]
    for path, table in found:
        section = _section(CameraConfig, table)
        if section is not None and ("source" in section.model_fields_set or "source" not in table):
            yield path, section


def _problem(path: KeyPath, error: FacesecureError) -> Problem:
    """Return the problem at ``path`` in the words of ``error``, with its hint on the same line."""
    return Problem(path, f"{error.message}; {error.hint}" if error.hint else error.message)


def cameras(sections: Sections, state_dir: Path) -> Iterator[Problem]:  # noqa: ARG001 - the signature of every check
    """Check that each stream of a camera is an address, that its file or device exists, and that no two share one."""
    from facesecure.camera.sources.uri import parse

    devices: dict[str, KeyPath] = {}
    for path, camera in sections.cameras.items():
        for key, uri in (("source", camera.source), ("detect", camera.detect)):
            try:
                address = parse(uri) if uri is not None else None
            except SourceError as error:
                yield _problem((*path, key), error)
                continue
            if address is None or address.scheme not in ("picamera2", "v4l2"):
                continue
            first = devices.setdefault(address.shown, (*path, key))
            if first != (*path, key):
                yield Problem((*path, key), f"{address.shown} can be opened only once, and is {dotted(first)}, too")


def detector(sections: Sections, state_dir: Path) -> Iterator[Problem]:
    """Check that the detector's models are there and intact."""
    from facesecure.vision.detection.factory import build_detector

    if sections.detector is not None:
        try:
            build_detector(sections.detector, models_dir=state_dir / "models")
        except ModelError as error:
            yield _problem(("detector", "kind"), error)


def recognizer(sections: Sections, state_dir: Path) -> Iterator[Problem]:
    """Check that the models are there, intact and of the configured kind."""
    if sections.recognizer is not None:
        try:
            _read_models(sections.recognizer, state_dir)
        except ModelError as error:
            yield _problem(("recognizer", "model"), error)


def _read_models(config: RecognizerConfig, state_dir: Path) -> None:
    from facesecure.recognition.classifier_thresholds import ClassThresholds
    from facesecure.storage.trusted_models import load_model

    embeds = load_model(config.embedding_model, state_dir).card
    if config.kind == "classifier":
        ClassThresholds.from_card(load_model(config.model, state_dir).card)
    if embeds.task != "face-embedding":
        other = ', or kind = "classifier"' if embeds.task == "face-classification" else ""
        raise ModelError(f"{embeds.name} does not embed faces", f"choose an embedding model{other}")


def inference(sections: Sections, state_dir: Path) -> Iterator[Problem]:
    """Check that the accelerator's library is there and may be loaded; ``facesecure doctor`` tries it."""
    library = None if sections.inference is None else sections.inference.library
    if library is None:
        return
    from facesecure.vision.inference.delegates import library_problem

    if problem := library_problem(library, state_dir):
        yield Problem(("inference", "delegate"), problem)


def voices(sections: Sections, state_dir: Path) -> Iterator[Problem]:  # noqa: ARG001 - the signature of every check
    """Check that Piper's model is there, and that one voice is installed where a plugin speaks."""
    speech = sections.speech
    if speech is None:
        return
    model = expanded(speech.piper_model) if speech.piper_model else None
    missing = [path for path in (model, Path(f"{model}.json")) if path is not None and not path.is_file()]
    if model is not None and missing:
        yield Problem(("speech", "piper_model"), f"there is no file {missing[0]}")
    if sections.policy is not None and any(map(sections.uses, sections.policy.aloud)):
        yield from _no_voice(speech)


def _no_voice(speech: SpeechConfig) -> Iterator[Problem]:
    from facesecure.alerts.speech.voices import build_voices

    obstacles = [voice.obstacle(speech.language) for voice in build_voices(speech)]
    known = [obstacle for obstacle in obstacles if obstacle is not None]
    if len(known) == len(obstacles):
        yield Problem(("speech", "voices"), "no voice can speak: " + "; ".join(one.message for one in known))


def state_folder(sections: Sections, state_dir: Path) -> Iterator[Problem]:  # noqa: ARG001 - the signature of every check
    """Check that the state directory can be written, or created."""
    from facesecure.services.diagnostics.result import Health
    from facesecure.services.diagnostics.state import missing_store

    if state_dir.is_dir():
        if not os.access(state_dir, os.R_OK | os.W_OK | os.X_OK):
            yield Problem(("state_dir",), f"{state_dir} cannot be read and written by this user; use sudo")
        return
    found = missing_store(state_dir)
    if found.health is not Health.OK:
        yield Problem(("state_dir",), f"{found.message}; {found.remedy}")


def fallbacks(sections: Sections, state_dir: Path) -> Iterator[Problem]:  # noqa: ARG001 - the signature of every check
    """Check that the plugins that fallbacks and quiet hours name are installed; the defaults may name others."""
    pairs = {} if sections.alerts is None else sections.alerts.fallback
    own = [pair for pair in pairs.items() if pair not in AlertsConfig().fallback.items()]
    aloud = () if sections.policy is None else sections.policy.aloud
    named = [(("alerts", "fallback"), name) for name in dict.fromkeys(name for pair in own for name in pair)]
    named += [(("policy", "aloud"), name) for name in aloud if name not in PolicyConfig().aloud]
    installed = {entry.name for entry in entry_points(group=ENTRY_POINT_GROUP)}
    for path, name in named:
        if name not in installed:
            yield Problem(path, f"no plugin called {name!r} is installed" + did_you_mean(name, installed, prefix="; "))


def plugins(sections: Sections, state_dir: Path) -> Iterator[Problem]:  # noqa: ARG001 - the signature of every check
    """Check that each plugin in use is installed and starts with its settings."""
    from facesecure.alerts.plugins.registry import load_records

    left: dict[str, Mapping[str, Any]] = {}
    for record in load_records(sections.plugins):
        wrong = {path[0] for path, _ in record.problems if path}
        if wrong:  # the plugin is tried without its wrong settings
            left[record.name] = {key: value for key, value in sections.plugins[record.name].items() if key not in wrong}
        yield from _plugin_problems(record)
    for record in load_records(left):
        if record.status.in_use:
            yield from _plugin_problems(record)


def _plugin_problems(record: PluginRecord) -> Iterator[Problem]:
    path: KeyPath = ("plugins", record.name)
    hint = f"[plugins.{record.name}]: {record.hint}"
    yield from (Problem((*path, *inner), text, hint) for inner, text in record.problems)
    if record.status.broken and not record.problems:
        yield Problem(path, record.reason + (f"; {record.hint}" if record.hint else ""))
    if record.plugin is None:
        return
    try:
        record.plugin.check_settings()
    except FacesecureError as error:
        yield _problem(path, error)
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything
        yield Problem(path, str(error))
    finally:
        record.plugin.close()


CHECKS: tuple[Callable[[Sections, Path], Iterator[Problem]], ...] = (
    state_folder,
    cameras,
    detector,
    recognizer,
    inference,
    voices,
    fallbacks,
    plugins,
)
