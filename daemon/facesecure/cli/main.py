"""The entry point: runs a command, and turns whatever goes wrong into a line that says what to do.

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted, 141 the reader of our output went away.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

from facesecure.cli.files import INTERRUPTED, end_interrupted, end_on_interrupt

READER_GONE = 141
DEBUG = "FACESECURE_DEBUG"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``facesecure`` with ``arguments`` and return the exit code; never raises.

    Without ``arguments`` it is this process's own command line, and Ctrl-C ends the process.
    """
    if arguments is not None:
        return _guarded(arguments)
    end_on_interrupt()
    code = _guarded(sys.argv[1:])
    if code == INTERRUPTED:
        end_interrupted()
    return code


def _guarded(arguments: Sequence[str]) -> int:
    """Run and explain. Whatever is written on the way, by whichever library, is its owner's only."""
    before = os.umask(0o077)
    try:
        _write_any_name()
        code = _run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _interrupted()
    except BrokenPipeError:
        _silence_stdout()
        return READER_GONE
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 1
    except Exception as error:  # noqa: BLE001 - this is where every exception ends
        return _explain(error)
    finally:
        os.umask(before)
    return code


def _run(arguments: Sequence[str]) -> int:
    """Parse and run. Not by the parser's own ``main``, which would keep interrupts and broken pipes to itself."""
    from typer import Exit

    from facesecure.cli.app import command
    from facesecure.cli.arguments import globals_first

    parser = command()
    try:
        with parser.make_context("facesecure", globals_first(arguments)) as context:
            parser.invoke(context)
    except Exit as end:
        return end.exit_code
    return 0


def _explain(error: Exception) -> int:
    """Say what went wrong on stderr; returns the exit code."""
    from typer import Abort, BadParameter

    from facesecure.domain.errors import FacesecureError

    parser_error = BadParameter.__mro__[2]  # click's ClickException, which typer does not export by name
    if isinstance(error, FacesecureError):
        return _complain(error.message, error.hint, error.exit_code)
    if isinstance(error, Abort):
        return _interrupted()
    if isinstance(error, parser_error):
        return _wrong_usage(error)
    if os.environ.get(DEBUG):
        import traceback

        traceback.print_exc()
        return 1
    if isinstance(error, OSError) and error.strerror:
        about = f"{error.filename}: " if error.filename else ""
        return _complain(f"{about}{error.strerror}", None, 1)
    what = f"{type(error).__name__}: {error}".splitlines()[0]
    return _complain(what, f"this is a bug; run with {DEBUG}=1 for the traceback", 1)


def _wrong_usage(error: Exception) -> int:
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError" and context is not None:
        sys.stderr.write(context.get_help() + "\n")
        return 2
    path = context.command_path if context is not None else "facesecure"
    message = str(getattr(error, "format_message", error.__str__)())
    return _complain(message[:1].lower() + message[1:].rstrip("."), f"see {path} --help", 2)


def _complain(message: str, hint: str | None, code: int) -> int:
    sys.stderr.write(f"error: {message}\n")
    if hint:
        sys.stderr.write(f"hint: {hint}\n")
    return code


def _interrupted() -> int:
    sys.stderr.write("interrupted\n")
    return INTERRUPTED


def _write_any_name() -> None:
    """A file name need not be valid Unicode; printing one must not fail."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _silence_stdout() -> None:
    """Python flushes stdout once more as it exits, and would complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
