"""``facesecure models``: the bundled models, and those that can be downloaded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facesecure.cli import output
from facesecure.cli.output import Json, examples, group
from facesecure.cli.settings import settings_of

if TYPE_CHECKING:
    from facesecure.vision.inference.model_registry import ModelEntry, Verification

app = group(
    "Models: list, verify, pull, trust.",
    "facesecure models list",
    "facesecure models verify",
    "facesecure models pull antispoof",
    "facesecure models trust door",
)


@app.command("list", epilog=examples("facesecure models list", "facesecure models list --json"))
def list_models(context: typer.Context, json: Json = False) -> None:
    """List the installed models, and those that can be pulled."""
    from facesecure.storage.trusted_models import check_card
    from facesecure.vision.inference import model_registry

    state_dir = settings_of(context).state()
    entries = model_registry.list_models(state_dir, check_card(state_dir))
    if json:
        output.emit_json({"models": [_entry(entry) for entry in entries]})
        return
    rows = [(e.name, e.status.value, *_card(e)) for e in entries]
    output.table(("model", "status", "task", "MB", "precision", "licence"), rows, right=("MB",))


def _card(entry: ModelEntry) -> tuple[object, ...]:
    card = entry.card
    return (card.task, card.size / 1e6, card.precision, card.licence) if card else (None, None, None, None)


def _entry(entry: ModelEntry) -> dict[str, Any]:
    card = entry.card.model_dump(mode="json", exclude={"golden"}) if entry.card else None
    return {"name": entry.name, "status": entry.status.value, "path": entry.path, "url": entry.url, "card": card}


@app.command("verify", epilog=examples("facesecure models verify", "facesecure models verify mobilefacenet --json"))
def verify(
    context: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...", help="Names, or paths of other model files. Default: all installed models."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Check the models' files and their output on this machine.

    Each file must have the hash on its card, and give the golden output on this machine.
    """
    from facesecure.storage.trusted_models import check_card
    from facesecure.vision.inference import model_registry

    state_dir = settings_of(context).state()
    paths = [name for name in names or () if "/" in name or name.endswith((".tflite", ".json"))]
    results = model_registry.verify_models(state_dir, *paths, check=check_card(state_dir))
    found = {result.name: result for result in results}
    chosen = [_named(name, found) for name in names or found]
    if json:
        output.emit_json({"models": [_verification(result) for result in chosen]})
    else:
        rows = [(r.name, _word(r), _shown(r.distance), r.problem, r.hint) for r in chosen]
        output.table(("model", "status", "golden error", "problem", "to do"), rows, right=("golden error",))
    if not all(result.good for result in chosen):
        raise typer.Exit(1)


def _shown(distance: float | None) -> str | None:
    return None if distance is None else f"{distance:.1e}"


def _named(name: str, found: dict[str, Verification]) -> Verification:
    from facesecure.domain.errors import UsageError

    if name not in found:
        raise UsageError(f"no model {name!r} is installed", f"there are: {', '.join(found)}")
    return found[name]


def _verification(result: Verification) -> dict[str, Any]:
    return {
        "name": result.name,
        "ok": result.good,
        "path": result.path,
        "golden_error": result.distance,
        "problem": result.problem or None,
        "hint": result.hint or None,
    }


def _word(result: Verification) -> Any:
    return output.coloured("ok", "green") if result.good else output.coloured("wrong", "red")


@app.command(
    "pull",
    epilog=examples(
        "facesecure models pull antispoof", "facesecure models pull yunet --mirror https://nas.example.org/models"
    ),
)
def pull(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The model; see `facesecure models list`.")],
    mirror: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Another folder with the same file, an https address; the hash is still checked."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Download a model. The version is pinned, an interrupted download resumes, and the file is verified before use.

    What is published for another runtime is converted; `antispoof` stands for two models that judge together.
    """
    from facesecure.vision.inference import model_registry

    state_dir = settings_of(context).state()
    pulled = [_pull(one, state_dir, mirror, quiet=json) for one in model_registry.to_pull(name)]
    if json:
        output.emit_json(pulled[0] if len(pulled) == 1 else {"models": pulled})
        return
    for one in pulled:
        output.say(f"{one['name']} is in {one['path']}")


def _pull(name: str, state_dir: Path, mirror: str | None, *, quiet: bool) -> dict[str, Any]:
    from facesecure.services.audit import audited
    from facesecure.vision.inference import model_registry

    remote = model_registry.remote_file(name, mirror)
    card = model_registry.downloadable_card(name)
    output.note(
        f"{remote.url}\n{remote.size:,} bytes, sha256 {remote.sha256}\n"
        f"licence {card.licence}, from {card.origin}\ntrained on {card.dataset}"
    )
    with output.progress(quiet=quiet) as progress, audited(state_dir, "model-pulled", name):
        path = model_registry.pull(name, state_dir, lambda done, total: progress(name, done, total), mirror=mirror)
    return {"name": name, "path": path, "size": remote.size, "sha256": remote.sha256, "licence": card.licence}


@app.command("trust", epilog=examples("facesecure models trust door"))
def trust(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The model, or the path of its file or card.")],
    json: Json = False,
) -> None:
    """Trust a model of your own in the state directory: sign its card.

    A model and its card decide who is recognised. In the state directory, only a signed card is used, so that no one
    else can put a model there. Needed once after the model was copied there, and after its card was changed.
    """
    from facesecure.services.audit import audited
    from facesecure.storage.trusted_models import trust as trust_model

    state_dir = settings_of(context).state()
    with audited(state_dir, "model-trusted", Path(name).stem):
        model = trust_model(name, state_dir)
    if json:
        output.emit_json({"name": model.card.name, "path": model.path, "sha256": model.sha256})
    else:
        output.say(f"{model.path} is trusted, sha256 {model.sha256}")
