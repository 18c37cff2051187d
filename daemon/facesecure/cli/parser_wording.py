"""Say in one sentence what is wrong with a command line, where its parser has found it.

``facesecure`` and ``facesecure-train`` both do.

typer says it in pydantic's words ("Input should be a valid integer, unable to parse string as an integer") and over
several lines, and its older versions in click's: only what is known is replaced.
"""

from __future__ import annotations

import re
from typing import Protocol, runtime_checkable

_REPLACED = (
    (r"\s*\n\s*", " "),
    (r"\bValue error, ", ""),
    (r"\bInput should be a valid integer\b.*", "must be a whole number"),
    (r"\bInput should be a valid number\b.*", "must be a number"),
    (r"\bInput should be a valid boolean\b.*", "must be true or false"),
    (r"\bInput should be greater than or equal to ", "must be at least "),
    (r"\bInput should be less than or equal to ", "must be at most "),
    (r"\bInput should be greater than ", "must be more than "),
    (r"\bInput should be ", "must be "),
    (r"^invalid value for '([^']+)'(?: \([^)]*\))?: must ", r"\1 must "),
    (r"^(missing argument '[^']+')\. Choose from: ", r"\1: one of "),
    (r"\bgot unexpected extra arguments?(?:\(s\))? \((.*)\)$", r"'\1' is too much here"),
)


@runtime_checkable
class ParserError(Protocol):
    """An error of the command line's parser, with the message for the user.

    click's ClickException, recognised by its shape: newer versions of typer raise that of their own copy of click
    (``typer._click``), which is another class and is not exported.
    """

    exit_code: int

    def format_message(self) -> str:
        """Return what is wrong, in the parser's words."""


def wrong_usage(error: ParserError, program: str) -> tuple[str, str | None]:
    """Return what is wrong with the command line of ``program``, and what to do about it.

    Where a command is missing, that is the help of its group, and there is nothing to add.
    """
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError" and context is not None:
        return str(context.get_help()), None
    path = context.command_path if context is not None else program
    return in_plain_words(error.format_message()), f"see {path} --help"


def in_plain_words(message: str) -> str:
    """Return the parser's ``message`` as one sentence without its end, which begins in lower case.

    Example::

        in_plain_words("Invalid value for '--face': Input should be greater than or equal to 1")
        # "--face must be at least 1"
    """
    sentence = (message[:1].lower() + message[1:]).strip().rstrip(".,")
    for pattern, replacement in _REPLACED:
        sentence = re.sub(pattern, replacement, sentence)
    return sentence
