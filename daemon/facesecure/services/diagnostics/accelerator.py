"""Check of what runs the models: the accelerator, and how many of their operations it takes."""

from __future__ import annotations

from collections.abc import Iterator

from facesecure.services.diagnostics.result import CheckContext, CheckResult, ok, warn


def accelerator(context: CheckContext) -> Iterator[CheckResult]:
    """Try the configured accelerator in another process, and count the operations of each model that it takes."""
    from facesecure.services.accelerator import try_accelerator
    from facesecure.vision.inference.delegates import DelegateError

    library = context.config.inference.library
    if library is None:
        yield ok("accelerator", f"none; {_on_processor(context)}")
        return
    try:
        trials = try_accelerator(context.config, context.state_dir)
    except DelegateError as error:
        yield warn("accelerator", f"not used, the processor runs all models: {error.message}", error.hint or "")
        return
    message = f"{library} runs {', '.join(map(str, trials))}"
    if any(trial.refusal for trial in trials):
        yield warn("accelerator", message, "the processor runs what it refuses; ask the maker of its library")
    else:
        yield ok("accelerator", message)


def _on_processor(context: CheckContext) -> str:
    """Return what XNNPACK, the runtimes' own delegate, takes of the recogniser's model."""
    from facesecure.storage.trusted_models import load_model
    from facesecure.vision.inference.backend import Backend

    model = load_model(context.config.recognizer.model, context.state_dir)
    threads = context.config.inference.threads
    counted = model.interpreter(Backend(threads)).count()
    part = "an unknown part" if counted is None else f"{counted.delegated} of {counted.nodes} operations"
    return f"on the processor XNNPACK runs {part} of {model.card.name}, threads: {threads}"
