"""Check of what tells a face from a picture that is held up."""

from __future__ import annotations

from collections.abc import Iterator

from facesecure.services.diagnostics.result import CheckContext, CheckResult, fail, ok, warn


def liveness(context: CheckContext) -> Iterator[CheckResult]:
    """Say which cues doubt a picture that is held up, and whether the networks are complete and run."""
    from facesecure.domain.errors import ModelError
    from facesecure.recognition.liveness.antispoof import MODELS, Antispoof
    from facesecure.storage.trusted_models import load_model

    mode, pull = context.config.liveness.mode, "facesecure models pull antispoof"
    here = [name for name in MODELS if (context.state_dir / "models" / f"{name}.json").exists()]
    if context.config.policy.known_disarms and (mode != "on" or len(here) < len(MODELS)):
        how = pull if mode == "on" else 'set [liveness] mode = "on"'
        yield warn("liveness", "known_disarms is set, but no face disarms unless both networks judge it", how)
        return
    if mode == "off":
        yield warn("liveness", "off: a picture of a known person is taken for them", 'set [liveness] mode = "on"')
        return
    logged = "" if mode == "on" else ", and only logged"
    if not here:
        yield ok("liveness", f"pictures are doubted by their surroundings alone{logged}; more are found after: {pull}")
        return
    if len(here) < len(MODELS):
        yield warn("liveness", f"of the two networks only {here[0]} is here, and neither is used", pull)
        return
    try:
        wide, near = (load_model(name, context.state_dir) for name in MODELS)
        Antispoof(wide, near)
    except ModelError as error:
        yield fail("liveness", f"the networks are not used: {error.message}", pull)
        return
    yield ok("liveness", f"pictures are doubted by their surroundings and by two networks{logged}")
