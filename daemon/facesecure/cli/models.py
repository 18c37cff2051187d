"""``facesecure models``: the networks that come with facesecure, and those it can fetch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facesecure.cli import output
from facesecure.cli.help import Json, examples, group
from facesecure.cli.settings import settings_of

if TYPE_CHECKING:
    pass

app = group(
    "The models: list, verify, pull.",
    "facesecure models list",
    "facesecure models verify",
    "facesecure models pull yunet",
)


@app.command("verify", epilog=examples("facesecure models verify", "facesecure models verify mobilefacenet --json"))
def verify(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Default: all that are here.")] = None,
    json: Json = False,
) -> None:
    """Check that each model's bytes are its card's, and that it computes its golden output on this machine."""
    from facesecure.vision.model_card import available_models

    state_dir = settings_of(context).state()
    results = [_verified(name, state_dir) for name in names or available_models(state_dir)]
    if json:
        output.emit_json({"models": results})
    else:
        rows = [(r["name"], _word(r), r["golden_error"], r["problem"] or "", r["hint"] or "") for r in results]
        output.table(("model", "is", "golden error", "problem", "to do"), rows, right=("golden error",))
    if not all(result["ok"] for result in results):
        raise typer.Exit(1)


def _verified(name: str, state_dir: Path) -> dict[str, Any]:
    from facesecure.errors import ModelError
    from facesecure.vision.model_card import load_model

    result = {"name": name, "ok": True, "golden_error": None, "problem": None, "hint": None}
    try:
        model = load_model(name, state_dir)
        runs = model.path.suffix == ".tflite" and model.card.golden is not None
        return {**result, "golden_error": model.verify() if runs else None}
    except ModelError as error:
        return {**result, "ok": False, "problem": error.message, "hint": error.hint}


def _word(result: dict[str, Any]) -> Any:
    return output.coloured("ok", "green") if result["ok"] else output.coloured("wrong", "red")
