"""Checks of the parts of the pipeline: interpreter, models, detector and plugins."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from facesecure.services.diagnostics.result import CheckContext, CheckResult, fail, ok, warn

_PACKAGES = {"litert": "ai-edge-litert", "tflite-runtime": "tflite-runtime"}


def runtime(context: CheckContext) -> Iterator[CheckResult]:
    """Check that a TFLite interpreter can run the recogniser's model, and which one it is."""
    from facesecure.storage.trusted_models import load_model

    name = load_model(context.config.recognizer.model, context.state_dir).interpreter().runtime
    shown = f"{_PACKAGES.get(name, name)} {_version(_PACKAGES.get(name, name))}".strip()
    if name == "litert":
        yield ok("runtime", shown)
    else:
        yield warn(
            "runtime",
            f"{shown}, several times slower than LiteRT",
            "install ai-edge-litert if it is available for this machine",
        )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def models(context: CheckContext) -> Iterator[CheckResult]:
    """Check each model that is bundled, pulled or in use: its hash, and its golden output on this machine."""
    from facesecure.storage.trusted_models import check_card
    from facesecure.vision.inference.card_files import shadowing_cards
    from facesecure.vision.inference.model_registry import verify_models

    for shadow in shadowing_cards(context.state_dir):
        message = f"{shadow} has the name of a bundled model, and is ignored"
        yield fail(f"model {shadow.stem}", message, f"find out who can write to {context.state_dir}, and remove it")
    for result in verify_models(
        context.state_dir, context.config.recognizer.model, check=check_card(context.state_dir)
    ):
        name = f"model {result.name}"
        if result.good:
            golden = "" if result.distance is None else f", golden output within {result.distance:.2g}"
            yield ok(name, f"{result.path.name} matches its card{golden}")
        else:
            yield fail(name, result.problem, result.hint)


def detector(context: CheckContext) -> Iterator[CheckResult]:
    """Check that the configured detector finds the face in a bundled image."""
    from facesecure.camera.synthetic.portraits import GRACE_HOPPER
    from facesecure.vision.detection.factory import build_detector

    config = context.config.detector
    faces = build_detector(config, models_dir=context.state_dir / "models").detect(GRACE_HOPPER.image())
    if len(faces) == 1:
        yield ok("detector", f"{config.kind} finds the bundled face, confidence {faces[0].confidence:.2f}")
    else:
        remedy = "lower [detector] confidence and min_face, or run: facesecure models verify"
        yield fail("detector", f"{config.kind} finds {len(faces)} faces in an image with one", remedy)


def subjects(context: CheckContext) -> Iterator[CheckResult]:
    """Check that a person is found without the face: in a bundled image, of which only the coat is shown."""
    from facesecure.camera.synthetic.portraits import GRACE_HOPPER
    from facesecure.domain import Subject
    from facesecure.storage.trusted_models import load_model
    from facesecure.vision.detection.subjects import MODEL, SubjectDetector, subject_of

    if not context.config.subjects.enabled:
        yield ok("subjects", "off: whatever moves without a face raises an alert")
        return
    image = GRACE_HOPPER.image()
    found = subject_of(SubjectDetector(load_model(MODEL)).detect(image[len(image) // 2 :]))
    if found is not None and found.subject is Subject.PERSON:
        yield ok("subjects", f"{MODEL} finds the bundled person by the coat, score {found.score:.2f}")
    else:
        yield fail("subjects", f"{MODEL} finds no person in an image of a coat", "run: facesecure models verify")


def plugins(context: CheckContext) -> Iterator[CheckResult]:
    """Load and check each plugin that is installed or configured."""
    from facesecure.alerts.plugins.loader import PluginStatus
    from facesecure.alerts.plugins.registry import Registry

    registry = Registry.load(context.config.plugins)
    for record in registry.records:
        name = f"plugin {record.name}"
        if record.status is PluginStatus.CHECK_FAILED:
            yield warn(name, f"check failed: {record.reason}", record.hint)
        elif record.status.broken:
            yield fail(name, f"{record.status}: {record.reason}", record.hint)
        else:
            yield ok(name, f"{record.status}{f' ({record.reason})' if record.reason else ''}")
        if record.plugin is not None:
            record.plugin.close()
    if not registry.enabled():
        yield warn("plugins", "no alert is sent: no plugin is in use", "add [plugins.log] to the configuration")
