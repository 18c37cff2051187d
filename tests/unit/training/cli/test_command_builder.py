"""A dataclass becomes the options of a command, whichever way its fields are annotated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from facesecure_training.cli.command_builder import add_command, command
from facesecure_training.common.option_info import OptionInfo


@dataclass(frozen=True, kw_only=True)
class Sheet:
    name: Annotated[str, typer.Argument()]
    columns: Annotated[int, typer.Option("-c", "--columns", min=1, help="Images in a row.")] = 12


@dataclass(frozen=True, kw_only=True)
class Light:
    max_gain: Annotated[float, OptionInfo("How bright.", min=0, max=4, default_text="as measured")] = 1.0
    even: Annotated[bool, OptionInfo("From all sides.")] = False


@pytest.fixture
def app() -> typer.Typer:
    made = typer.Typer(rich_markup_mode=None)

    @made.callback()
    def group() -> None:
        """More than one command."""

    @command(made, "draw")
    def draw(sheet: Sheet, light: Light) -> None:
        """Draw a sheet."""
        typer.echo(f"{sheet} {light}")

    return made


def test_each_group_gets_its_own_options_and_their_defaults(app):
    done = CliRunner().invoke(app, ["draw", "faces", "-c", "3", "--max-gain", "2"])
    assert done.stdout.strip() == f"{Sheet(name='faces', columns=3)} {Light(max_gain=2.0)}"


def test_the_help_has_the_docstring_and_what_both_kinds_of_annotation_say(app):
    shown = CliRunner().invoke(app, ["draw", "--help"]).stdout
    for part in ("Draw a sheet.", "Images in a row.", "How bright.", "as measured", "0<=x<=4"):
        assert part in shown
    assert "--no-even" not in shown


@pytest.mark.parametrize("words", [["draw"], ["draw", "faces", "--max-gain", "5"], ["draw", "faces", "--columns", "0"]])
def test_what_is_missing_or_out_of_bounds_is_wrong_usage(app, words):
    assert CliRunner().invoke(app, words).exit_code == 2


def test_a_handler_may_ask_for_the_context_and_name_its_groups(app):
    seen = []
    add_command(app, "light", lambda context, light: seen.append((context, light)), groups=(typer.Context, Light))
    assert CliRunner().invoke(app, ["light", "--even"]).exit_code == 0
    ((context, light),) = seen
    assert (context.info_name, light.even) == ("light", True)


def test_two_options_of_one_name_are_refused(app):
    with pytest.raises(TypeError, match="two options"):
        add_command(app, "twice", lambda one, other: None, groups=(Light, Light))
