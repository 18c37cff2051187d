"""How every command's ``--help`` looks: what it does, then examples to copy."""

from __future__ import annotations

from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout, and nothing else there.")]


def examples(*lines: str) -> str:
    """An epilog of ``lines``. Backspace on a line of its own tells the parser to leave the paragraph as it is."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def group(help: str, *lines: str, **settings: Any) -> typer.Typer:
    """A group of commands. Plain help, the same on every terminal and in every pipe."""
    return typer.Typer(
        help=help,
        epilog=examples(*lines),
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["--help", "-h"], "max_content_width": 100},
        **settings,
    )
