"""The cards of the models that come along or can be pulled, as a page: data, licence, use, limits, groups of people."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from docs.markdown_text import table
from facesecure.vision.inference.card_files import bundled_directory

DOCS = Path(__file__).parent
WORDS = DOCS / "model-cards.toml"
GROUPS = DOCS.parent / "training" / "results" / "groups.json"


def cards() -> str:
    """Return the page: a section for each model, and what is known of it by group of people."""
    words = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    groups = json.loads(GROUPS.read_text(encoding="utf-8")) if GROUPS.exists() else None
    return "\n".join(text for name, about in words.items() for text in _card(name, about, groups))


def known() -> dict[str, dict[str, Any]]:
    """Return every card of the package by its model's name."""
    paths = sorted(bundled_directory().glob("*.json")) + sorted(bundled_directory().glob("downloadable/*.json"))
    return {card["name"]: card for card in (json.loads(path.read_text(encoding="utf-8")) for path in paths)}


def _card(name: str, about: Mapping[str, Any], groups: Mapping[str, Any] | None) -> Iterator[str]:
    found = [known()[model] for model in about["models"]]
    first = found[0]
    yield f"## {name}\n"
    yield table(
        ("", ""),
        [
            ("files", ", ".join(f"`{card['name']}`" for card in found)),
            ("task", first["task"]),
            ("origin", first["origin"]),
            ("licence", first["licence"]),
            ("training data", first["dataset"]),
            ("intended use", about["use"]),
            ("not intended", about["misuse"]),
            ("limits", about["limits"]),
            *((what, str(value)) for what, value in (first.get("accuracy") or {}).items()),
        ],
    )
    yield f"\n{_groups(about.get('rows', ''), groups)}\n"


def _groups(rows: str, groups: Mapping[str, Any] | None) -> str:
    """Return the figures by group of the rows that begin with ``rows``."""
    if not rows or groups is None:
        return "By group of people: not measured."
    lines = [
        (what, *(_share(one) for one in by.values())) for what, by in groups["rows"].items() if what.startswith(rows)
    ]
    return table(("by group, % (interval), people", *groups["groups"]), lines)


def _share(one: Mapping[str, Any] | None) -> str:
    if one is None:
        return "-"
    return f"{100 * one['value']:.2f} ({100 * one['low']:.2f} to {100 * one['high']:.2f}), {one['people']}"
