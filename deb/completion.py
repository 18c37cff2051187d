"""Write the completions of ``facesecure`` for bash, zsh and fish, from the command line itself.

    .venv/bin/python -m deb.completion bash|zsh|fish

They are lists that need no start of Python, which takes a second on a Raspberry Pi.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from deb.commands import Command, commands

_BASH = """# Completion of facesecure for bash.
_facesecure() {{
    local word path=facesecure current=${{COMP_WORDS[COMP_CWORD]}}
    local -A below options
{tables}
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        [[ " ${{below[$path]-}} " == *" $word "* ]] && path="$path $word"
    done
    if [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "${{options[$path]-}}" -- "$current")
    elif [[ -n ${{below[$path]-}} ]]; then
        mapfile -t COMPREPLY < <(compgen -W "${{below[$path]}}" -- "$current")
    fi
}}
complete -o default -F _facesecure facesecure
"""
_ZSH = """#compdef facesecure
# Completion of facesecure for zsh.
local word path_=facesecure
local -A below options
{tables}
for word in ${{words[2,CURRENT-1]}}; do
    [[ " ${{below[$path_]-}} " == *" $word "* ]] && path_="$path_ $word"
done
if [[ ${{words[CURRENT]}} == -* ]]; then
    compadd -- ${{(s: :)options[$path_]}}
elif [[ -n ${{below[$path_]-}} ]]; then
    compadd -- ${{(s: :)below[$path_]}}
else
    _files
fi
"""


def bash() -> str:
    """Return the completion for bash."""
    return _BASH.format(tables=_tables())


def zsh() -> str:
    """Return the completion for zsh."""
    return _ZSH.format(tables=_tables())


def fish() -> str:
    """Return the completion for fish."""
    return "\n".join(["# Completion of facesecure for fish.", *_fish(commands())]) + "\n"


def _tables() -> str:
    return "\n".join(line for command in commands() for line in _rows(command))


def _rows(command: Command) -> Iterator[str]:
    path = " ".join(command.path)
    if command.below:
        yield f'    below["{path}"]="{" ".join(command.below)}"'
    yield f'    options["{path}"]="{" ".join(command.options)}"'


def _fish(found: list[Command]) -> Iterator[str]:
    short = {command.path: command.short for command in found}
    for command in found:
        seen = "; and ".join(f"__fish_seen_subcommand_from {name}" for name in command.path[1:])
        none = f"not __fish_seen_subcommand_from {' '.join(command.below)}" if command.below else ""
        here = "; and ".join(filter(None, [seen, none]))
        condition = f" -n '{here}'" if here else ""
        for name in command.below:
            yield f"complete -c facesecure -f{condition} -a {name} -d {_quoted(short[(*command.path, name)])}"
        yield from _fish_options(command, condition)


def _fish_options(command: Command, condition: str) -> Iterator[str]:
    for one in (one for one in command.parameters if one.is_option):
        names = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in one.names)
        values = f" -x -a {_quoted(' '.join(one.choices))}" if one.choices else " -r" if one.value else ""
        yield f"complete -c facesecure{condition} {names}{values} -d {_quoted(one.help)}"


def _quoted(text: str) -> str:
    return "'" + " ".join(text.split()).replace("\\", "\\\\").replace("'", "\\'") + "'"


if __name__ == "__main__":
    sys.stdout.write({"bash": bash, "zsh": zsh, "fish": fish}[sys.argv[1]]())
