"""Commands that plugins contribute to a group, by entry points."""

import importlib.metadata
import sys
import types
from importlib.metadata import EntryPoint

import pytest
import typer

from facesecure.cli.plugin_commands import ENTRY_POINT_GROUP


@pytest.fixture
def contributed(monkeypatch):
    """``contributed("alerts.chime", app)``: an installed package contributes that command."""
    entries = []

    def contribute(name, loaded):
        module = types.ModuleType(f"contributed_{len(entries)}")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        if loaded is not None:
            module.app = loaded
        entries.append(EntryPoint(name, f"{module.__name__}:app", ENTRY_POINT_GROUP))

    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: entries if group == ENTRY_POINT_GROUP else [])
    return contribute


@pytest.fixture
def chime():
    app = typer.Typer(add_completion=False, rich_markup_mode=None)

    @app.command()
    def ring(times: int = 1) -> None:
        """Ring the bell."""
        typer.echo("ding " * times)

    return app


def test_a_contributed_command_is_listed_and_run_under_the_name_of_its_entry_point(facesecure, contributed, chime):
    contributed("alerts.chime", chime)
    assert "chime    Ring the bell." in facesecure("alerts", "--help").out
    assert facesecure("alerts", "chime", "--times", 2).out == "ding ding \n"
    assert "Usage: facesecure alerts chime" in facesecure("alerts", "chime", "--help").out


def test_a_command_of_another_group_is_not_listed_and_not_imported(facesecure, contributed):
    contributed("people.broken", None)
    assert "broken" not in facesecure("alerts", "--help").out
    assert facesecure("alerts", "broken").code == 2


def test_a_built_in_command_cannot_be_replaced(facesecure, contributed, chime):
    contributed("alerts.list", chime)
    assert "Ring the bell" not in facesecure("alerts", "--help").out
    assert "plugins" in facesecure("alerts", "list", "--json").json


@pytest.mark.parametrize("words", [(), ("--help",), ("--loud", "5")])
def test_a_command_that_does_not_load_fails_with_what_to_do(facesecure, contributed, words):
    contributed("alerts.chime", None)
    outcome = facesecure("alerts", "chime", *words)
    assert outcome.code == 1
    assert outcome.err.startswith("error: the command 'chime' of contributed_0:app does not load: AttributeError")
    assert "hint: reinstall the package that provides it" in outcome.err


def test_a_command_that_does_not_load_leaves_the_help_and_the_other_commands_alone(facesecure, contributed, chime):
    contributed("alerts.chime", chime)
    contributed("alerts.broken", None)
    outcome = facesecure("alerts", "--help")
    assert outcome.code == 0
    assert "Ring the bell." in outcome.out
    assert "does not load: AttributeError" in outcome.out
    assert facesecure("alerts", "broken", "--help").code == 1
    assert facesecure("alerts", "chime").code == 0
    assert facesecure("--help").code == 0


def test_something_that_is_no_command_does_not_load(facesecure, contributed):
    contributed("alerts.chime", "not a typer app")
    assert "does not load" in facesecure("alerts", "chime").err
