"""Commands whose options are dataclasses.

typer reads a command's options from the signature of a function. A command with many options would be a function with
as many parameters, repeated wherever two commands share some. Here a command is a function of a few dataclasses, and
the fields of each dataclass are options::

    @dataclass(frozen=True, kw_only=True)
    class SheetOptions:
        columns: Annotated[int, typer.Option(help="Images in a row.", min=1)] = 12

    @command(app, "sheet")
    def sheet(options: SheetOptions, output: OutputOptions) -> None:
        '''Draw a contact sheet.'''

A field is annotated with typer's own ``Option`` or ``Argument``, or with the neutral ``OptionInfo`` that settings
classes use; the latter becomes the option ``--name-of-the-field``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, fields
from typing import Annotated, Any, TypeVar, get_args, get_type_hints

import typer

from facesecure_training.common.option_info import OptionInfo

Handler = TypeVar("Handler", bound=Callable[..., None])


def command(app: typer.Typer, name: str) -> Callable[[Handler], Handler]:
    """Return a decorator that adds a function of dataclasses to ``app`` as the command ``name``.

    The function's docstring is the command's help.
    """

    def add(handler: Handler) -> Handler:
        add_command(app, name, handler)
        return handler

    return add


def add_command(
    app: typer.Typer,
    name: str,
    handler: Callable[..., None],
    *,
    groups: Sequence[type] | None = None,
    help: str | None = None,
) -> None:
    """Add ``handler`` to ``app`` as the command ``name``.

    ``handler`` is called with one instance of each of ``groups``: dataclasses whose fields become the command's
    options, in their order, or typer.Context. Without ``groups`` they are the annotations of its parameters. Raises
    TypeError if two groups have an option of the same name.
    """
    wanted = list(groups) if groups is not None else _annotations(handler)
    parameters = [parameter for group in wanted for parameter in _parameters(group)]
    names = [parameter.name for parameter in parameters]
    if len(set(names)) < len(names):
        raise TypeError(f"the command {name} has two options of one name: {sorted(names)}")

    def run(**given: Any) -> None:
        handler(*(_instance(group, given) for group in wanted))

    # The two attributes that inspect.signature and typing.get_type_hints look at, hence typer too.
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    app.command(name, help=_help_text(help or handler.__doc__ or ""))(run)


def _help_text(docstring: str) -> str:
    r"""Return ``docstring`` for typer, which keeps the lines of a paragraph that begins with the character \b.

    Docstrings are raw strings, so that it stands there as a backslash and a letter.
    """
    return inspect.cleandoc(docstring).replace("\\b\n", "\b\n")


def _annotations(handler: Callable[..., None]) -> list[type]:
    hints = get_type_hints(handler)
    return [hints[name] for name in inspect.signature(handler).parameters]


def _instance(group: type, given: dict[str, Any]) -> Any:
    if group is typer.Context:
        return given["context"]
    return group(**{field.name: given[field.name] for field in fields(group)})


def _parameters(group: type) -> list[inspect.Parameter]:
    if group is typer.Context:
        return [inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)]
    hints = get_type_hints(group, include_extras=True)
    return [_parameter(field, hints[field.name]) for field in fields(group)]


def _parameter(field: Field[Any], annotation: Any) -> inspect.Parameter:
    default = inspect.Parameter.empty if field.default is MISSING else field.default
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(field.name, kind, default=default, annotation=_for_typer(field.name, annotation))


def _for_typer(name: str, annotation: Any) -> Any:
    """Return ``annotation`` with an ``OptionInfo`` in it replaced by typer's option."""
    kind, *extras = get_args(annotation)
    if not isinstance(extras[0], OptionInfo):
        return annotation
    info: OptionInfo = extras[0]
    option = typer.Option(
        f"--{name.replace('_', '-')}",
        help=info.help,
        min=info.min,
        max=info.max,
        show_default=info.default_text or True,
    )
    return Annotated[kind, option]
