"""However a command ends, it ends with a code and a line, never with a traceback."""

import os
import signal
import subprocess
import sys

import pytest

from facesecure.cli import app as commands
from facesecure.cli import main as entry
from facesecure.cli.files import replacing
from facesecure.cli.output import group
from facesecure.domain.errors import ConfigError, FacesecureError


@pytest.fixture
def raising(monkeypatch, facesecure):
    """Runs a command that raises what it is given."""

    def run(error):
        app = group("test")

        @app.command("go")
        def go():
            raise error

        @app.command("other")
        def other(): ...

        from typer.main import get_command

        monkeypatch.setattr(commands, "command", lambda: get_command(app))
        return facesecure("go")

    return run


def test_an_expected_error_says_what_and_what_to_do(raising):
    outcome = raising(FacesecureError("the camera is gone", "plug it in"))
    assert (outcome.code, outcome.out, outcome.err) == (1, "", "error: the camera is gone\nhint: plug it in\n")


def test_an_error_brings_its_own_exit_code(raising):
    assert raising(ConfigError("wrong", ("line 1: a: b",))).code == 2


def test_an_unexpected_error_is_called_a_bug_in_one_line(raising):
    outcome = raising(ZeroDivisionError("division by zero"))
    assert outcome.code == 1
    assert outcome.err.splitlines() == [
        "error: ZeroDivisionError: division by zero",
        "hint: this is a bug; run with FACESECURE_DEBUG=1 for the traceback",
    ]


def test_a_developer_gets_the_traceback(raising, monkeypatch, capfd):
    monkeypatch.setenv("FACESECURE_DEBUG", "1")
    with pytest.raises(AssertionError, match="Traceback"):
        raising(ZeroDivisionError("division by zero"))


def test_the_systems_errors_name_the_file(raising):
    outcome = raising(PermissionError(13, "Permission denied", "/etc/shadow"))
    assert (outcome.code, outcome.err) == (1, "error: /etc/shadow: Permission denied\n")


def test_a_full_disk_is_told_with_what_to_do(raising):
    outcome = raising(OSError(28, "No space left on device"))
    assert outcome.code == 1
    assert outcome.err.startswith("error: No space left on device\nhint: the disk or your share of it is full: free")


def test_an_interrupt_is_130_and_one_word(raising):
    outcome = raising(KeyboardInterrupt())
    assert (outcome.code, outcome.err) == (130, "interrupted\n")


@pytest.mark.parametrize("words", [("peple",), ("people", "lst"), ("people", "list", "--jsno"), ("people", "show")])
def test_wrong_usage_is_2_and_points_at_the_help(facesecure, words):
    outcome = facesecure(*words)
    assert outcome.code == 2
    assert outcome.err.startswith("error: ")
    assert "hint: see facesecure" in outcome.err
    assert "--help" in outcome.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("events", "list", "--limit", "x"), "error: --limit must be a whole number"),
        (("events", "list", "--limit", "0"), "error: --limit must be at least 1"),
        (("arm", "maybe"), "error: invalid value for 'mode': 'maybe' is not one of 'home', 'away', 'off'"),
        (("arm",), "error: missing argument 'mode': one of home, away, off"),
        (("status", "now"), "error: 'now' is too much here"),
    ],
)
def test_wrong_usage_is_one_line_without_the_parsers_own_words(facesecure, words, said):
    outcome = facesecure(*words)
    assert outcome.code == 2
    assert outcome.err.splitlines() == [said, f"hint: see {outcome.err.split('see ')[1].strip()}"]


def test_the_version_is_told(facesecure):
    outcome = facesecure("--version")
    assert outcome.code == 0
    assert outcome.out.startswith("facesecure ")


def test_no_command_at_all_shows_the_help(facesecure):
    outcome = facesecure()
    assert "enroll" in outcome.out + outcome.err
    assert outcome.code in (0, 2)


def test_global_options_work_before_and_behind_the_command(facesecure, tmp_path):
    for words in (
        ("--state-dir", tmp_path / "a", "people", "list", "--json"),
        ("people", "list", "--json", f"--state-dir={tmp_path / 'b'}"),
    ):
        assert facesecure(*words).json == {"people": []}
    assert (tmp_path / "a").is_dir()
    assert (tmp_path / "b").is_dir()


def every_command(typer_app=None, path=()):
    from typer.main import get_command

    command = get_command(commands.app) if typer_app is None else typer_app
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from every_command(inner, (*path, name))


@pytest.mark.parametrize(
    ("path", "command"), [pytest.param(p, c, id=" ".join(p) or "facesecure") for p, c in every_command()]
)
def test_every_help_has_words_and_examples_that_begin_as_one_types_them(path, command, facesecure):
    outcome = facesecure(*path, "--help")
    assert outcome.code == 0
    assert command.help
    examples = outcome.out.split("Examples:\n")[1].splitlines()
    assert examples
    assert all(line.startswith("    facesecure ") or "| facesecure" in line for line in examples if line.strip())
    assert "\x1b" not in outcome.out


def test_help_is_quick_and_loads_nothing_heavy():
    script = (
        "import sys; from facesecure.cli.main import main; main(['--help']);"
        "print([m for m in ('cv2', 'numpy', 'sqlalchemy', 'pydantic', 'av', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_reader_that_goes_away_is_no_error(tmp_path):
    environment = {**os.environ, "FACESECURE_STATE_DIR": str(tmp_path)}
    reader, writer = os.pipe()
    os.close(reader)  # before it starts: the pipe would hold all that it prints
    try:
        done = subprocess.run(
            [sys.executable, "-m", "facesecure", "config", "example"],
            stdout=writer, stderr=subprocess.PIPE, env=environment, check=False,
        )  # fmt: skip
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (entry.READER_GONE, b"")


_WAITING_WITH_HALF_A_FILE = """
import sys, time
from pathlib import Path
from facesecure.cli import main as entry
from facesecure.cli.files import replacing

def command(arguments):
    with replacing(Path(sys.argv[1]) / "export.zip") as file:
        print("here", flush=True)
        time.sleep(120)

entry._run = command
sys.exit(entry.main())
"""


def test_control_c_ends_a_real_process_with_130_and_leaves_no_half_file(tmp_path):
    (tmp_path / "out").mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", _WAITING_WITH_HALF_A_FILE, tmp_path / "out"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout.readline() == b"here\n"
        assert len(list((tmp_path / "out").iterdir())) == 1
        process.send_signal(signal.SIGINT)
        assert (process.wait(60), process.stderr.read()) == (130, b"interrupted\n")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_failed_export_leaves_what_was_there(tmp_path):
    target = tmp_path / "export.zip"
    target.write_text("before")
    with pytest.raises(TypeError), replacing(target) as file:
        file.writelines(["after", 3])
    assert [path.read_text() for path in tmp_path.iterdir()] == ["before"]
