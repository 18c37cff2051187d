"""Checks of the parts the journey is made of: interpreter, models, detector, camera, plugins."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from facesecure.services.diagnostics.result import CheckContext, CheckResult, fail, ok, warn

_PACKAGES = {"litert": "ai-edge-litert", "tflite-runtime": "tflite-runtime"}


def runtime(patient: CheckContext) -> Iterator[CheckResult]:
    """Whether a TFLite interpreter builds the recogniser's graph, and which."""
    from facesecure.vision.inference.model_card import load_model

    name = load_model(patient.config.recognizer.model, patient.state_dir).interpreter().runtime
    shown = f"{_PACKAGES.get(name, name)} {_version(_PACKAGES.get(name, name))}".strip()
    if name == "litert":
        yield ok("runtime", shown)
    else:
        yield warn(
            "runtime", f"{shown}, several times slower than LiteRT", "install ai-edge-litert if this machine has it"
        )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def models(patient: CheckContext) -> Iterator[CheckResult]:
    """Every model bundled, pulled or in use: its bytes are its card's, and it computes its golden output here."""
    from facesecure.vision.inference.model_registry import verify_models

    for result in verify_models(patient.state_dir, patient.config.recognizer.model):
        about = f"model {result.name}"
        if result.good:
            golden = "" if result.distance is None else f", golden output within {result.distance:.2g}"
            yield ok(about, f"{result.path.name} is what its card says{golden}")
        else:
            yield fail(about, result.problem, result.hint)


def detector(patient: CheckContext) -> Iterator[CheckResult]:
    """The detector that is configured finds the face in a picture that comes with facesecure."""
    from facesecure.camera.synthetic.portraits import GRACE_HOPPER
    from facesecure.vision.detection.factory import build_detector

    config = patient.config.detector
    faces = build_detector(config, models_dir=patient.state_dir / "models").detect(GRACE_HOPPER.image())
    if len(faces) == 1:
        yield ok("detector", f"{config.kind} finds the bundled face, confidence {faces[0].confidence:.2f}")
    else:
        advice = "lower [detector] confidence and min_face, or run: facesecure models verify"
        yield fail("detector", f"{config.kind} finds {len(faces)} faces in a picture with one", advice)


def camera(patient: CheckContext) -> Iterator[CheckResult]:
    """One picture from the camera."""
    from facesecure.camera.sources import probe, redact

    result = probe(patient.config.camera.source, patient.config.camera)
    yield ok("camera", f"{redact(patient.config.camera.source)}: {result}")


def plugins(patient: CheckContext) -> Iterator[CheckResult]:
    """Every plugin installed or configured, loaded and asked whether it would work now."""
    from facesecure.alerts.plugins.loader import PluginStatus
    from facesecure.alerts.plugins.registry import Registry

    registry = Registry.load(patient.config.plugins)
    for record in registry.records:
        about = f"plugin {record.name}"
        if record.status is PluginStatus.CHECK_FAILED:
            yield warn(about, f"check failed: {record.reason}", record.hint)
        elif record.status.broken:
            yield fail(about, f"{record.status}: {record.reason}", record.hint)
        else:
            yield ok(about, f"{record.status}{f' ({record.reason})' if record.reason else ''}")
        if record.plugin is not None:
            record.plugin.close()
    if not registry.enabled():
        yield warn(
            "plugins", "nobody is told of anything: no plugin is in use", "add [plugins.log] to the configuration"
        )
