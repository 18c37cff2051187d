"""Say in one sentence what is wrong with a command line, where its parser has found it.

typer says it in pydantic's words ("Input should be a valid integer, unable to parse string as an integer") and over
several lines, and its older versions in click's: only what is known is replaced.
"""

from __future__ import annotations

import re

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
