"""The reference pages say what the code says."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[3] / "docs" / "generate.py"


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_pages_are_current(generate: ModuleType) -> None:
    assert generate.stale() == [], "run: .venv/bin/python docs/generate.py"


def test_every_setting_and_command_has_a_description(generate: ModuleType) -> None:
    for name, text in generate.pages().items():
        rows = [line for line in text.splitlines() if line.startswith("| `")]
        assert [row for row in rows if row.endswith("|  |")] == [], name


def test_generating_the_training_commands_needs_no_tensorflow(generate: ModuleType) -> None:
    before = "tensorflow" in sys.modules
    generate.pages()
    assert ("tensorflow" in sys.modules) == before


def test_a_page_without_the_mark_is_refused(generate: ModuleType, tmp_path: Path) -> None:
    page = tmp_path / "commands.md"
    page.write_text("# Commands\n")
    with pytest.raises(ValueError, match="has no line"):
        generate._introduction(page)
