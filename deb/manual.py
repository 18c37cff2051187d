"""Write the manual page of ``facesecure``, facesecure(1), from the command line itself.

.venv/bin/python -m deb.manual > facesecure.1
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

from deb.commands import Command, Parameter, commands

_HEADER = """.TH FACESECURE 1 "" "facesecure {version}" "User commands"
.SH NAME
facesecure \\- face recognition for the front door
.SH SYNOPSIS
.B facesecure
.RI [ options ]
.I command
.RI [ arguments ]"""
_FOOTER = """.SH FILES
.TP
.I /etc/facesecure/facesecure.toml
The configuration: cameras, alerts, everything that can be set.
.TP
.I /etc/facesecure/key
The key that encrypts faces and films. Keep a copy of it elsewhere.
.TP
.I /var/lib/facesecure
People, visits, films and pulled models.
.SH EXIT STATUS
0: done. 1: it could not be done; the message says what to do. 2: wrong usage, or a mistake in the configuration.
130: ended by Ctrl-C.
.SH SEE ALSO
.BR systemctl (1),
.BR journalctl (1)"""


def page(version: str) -> str:
    """Return the manual page in roff (man(7)), without a date: it is the same for the same commit."""
    return "\n".join([_HEADER.format(version=version), *_sections(commands()), _FOOTER]) + "\n"


def _sections(found: list[Command]) -> Iterator[str]:
    first, *others = found
    yield ".SH DESCRIPTION"
    yield from _prose(first.help)
    yield ".SH GLOBAL OPTIONS"
    yield from _parameters(first)
    yield ".SH COMMANDS"
    for command in others:
        yield f'.SS "{_plain(" ".join(command.path))}"'
        yield from _prose(command.help)
        yield from _parameters(command)
        yield from _examples(command)
    yield ".SH EXAMPLES"
    yield from _examples(first)


def _parameters(command: Command) -> Iterator[str]:
    for one in command.parameters:
        yield ".TP"
        yield _label(one)
        yield _plain(one.help)


def _label(one: Parameter) -> str:
    if not one.is_option:
        return f"\\fI{_plain(one.names[0])}\\fR"
    names = ", ".join(f"\\fB{_plain(name)}\\fR" for name in one.names)
    return f"{names} \\fI{_plain(one.value)}\\fR" if one.value else names


def _examples(command: Command) -> Iterator[str]:
    lines = [line.strip() for line in command.examples.splitlines() if line.strip().startswith("facesecure ")]
    if lines:
        yield from (".PP", ".nf", *(f".RS\n{_plain(line)}\n.RE" for line in lines), ".fi")


def _prose(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", text.replace("\b", "").strip()):
        yield ".PP"
        yield _plain(paragraph)


def _plain(text: str) -> str:
    """Return ``text`` on one line, with what roff would take for itself escaped."""
    line = " ".join(text.split()).replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")
    return f"\\&{line}" if line.startswith((".", "'")) else line


if __name__ == "__main__":
    from facesecure import __version__

    sys.stdout.write(page(__version__))
