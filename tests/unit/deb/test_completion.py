"""Completions know every command and option, and the shells take them."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from deb import completion
from deb.commands import commands

WRITTEN = {"bash": completion.bash, "zsh": completion.zsh, "fish": completion.fish}


@pytest.fixture(scope="module")
def written() -> dict[str, str]:
    return {shell: write() for shell, write in WRITTEN.items()}


def complete(script: str, *words: str) -> list[str]:
    """Return what bash offers for the last of ``words``."""
    ask = f'{script}\nCOMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _facesecure; printf \'%s\\n\' "${{COMPREPLY[@]}}"'
    return subprocess.run(
        ["bash", "-c", ask, "-", *words], check=True, capture_output=True, text=True, timeout=30
    ).stdout.split()


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_every_command_and_option_is_in_the_tables(written, shell):
    for command in commands():
        path = " ".join(command.path)
        assert f'options["{path}"]="{" ".join(command.options)}"' in written[shell]
        assert not command.below or f'below["{path}"]="{" ".join(command.below)}"' in written[shell]


def test_fish_has_every_command_and_option(written):
    for command in commands():
        assert all(f" -a {name} -d " in written["fish"] for name in command.below)
        assert all(f" -l {name[2:]}" in written["fish"] for name in command.options if name.startswith("--"))


@pytest.mark.parametrize("shell", WRITTEN)
def test_the_shell_understands_it(written, shell, tmp_path):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    (tmp_path / "script").write_text(written[shell])
    done = subprocess.run([shell, "-n", tmp_path / "script"], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_bash_offers_commands_their_own_commands_and_options(written):
    assert complete(written["bash"], "facesecure", "peo") == ["people"]
    assert "remove" in complete(written["bash"], "facesecure", "people", "")
    assert complete(written["bash"], "facesecure", "events", "list", "--js") == ["--json"]


def test_bash_leaves_names_of_files_to_itself(written):
    assert complete(written["bash"], "facesecure", "identify", "photo") == []


def test_texts_with_quotes_stay_one_word_in_fish():
    assert completion._quoted("the camera's \\ name") == "'the camera\\'s \\\\ name'"
