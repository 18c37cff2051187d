"""The entry point: runs a command, and turns every error into a line that says what to do.

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted, 141 the reader of stdout has closed it.
"""

from __future__ import annotations

import errno
import os
import sys
import threading
from collections.abc import Sequence

from facesecure.cli import as_service
from facesecure.cli.files import INTERRUPTED, end_interrupted, end_on_interrupt
from facesecure.cli.parser_wording import ParserError, wrong_usage
from facesecure.util.paths import print_any_name
from facesecure.util.plain_text import escaped
from facesecure.util.redaction import learn_address, redact
from facesecure.util.standard_streams import open_closed_streams

READER_GONE = 141
DEBUG = "FACESECURE_DEBUG"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``facesecure`` with ``arguments`` and return the exit code; never raises.

    Without ``arguments`` it runs this process's command line, and Ctrl-C ends the process.
    """
    if arguments is not None:
        return _guarded(arguments)
    open_closed_streams()
    end_on_interrupt()
    threading.excepthook = _explain_thread
    code = _guarded(sys.argv[1:])
    if code == INTERRUPTED:
        end_interrupted()
    return code


def _guarded(arguments: Sequence[str]) -> int:
    """Run, and explain errors. Files that any library creates meanwhile are readable by their owner only."""
    before = os.umask(0o077)
    try:
        print_any_name()
        code = _run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _interrupted()
    except BrokenPipeError:
        _silence_stdout()
        return READER_GONE
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 1
    except Exception as error:  # noqa: BLE001 - the last handler of every exception
        return _explain(error)
    finally:
        os.umask(before)
    return code


def _run(arguments: Sequence[str]) -> int:
    """Parse and run. The parser's own ``main`` is not used, since it handles interrupts and broken pipes itself."""
    from typer import Exit

    from facesecure.cli.app import command
    from facesecure.cli.arguments import globals_first

    for argument in arguments:
        if "://" in argument and "@" in argument:  # the parser quotes arguments that it does not expect
            learn_address(argument.partition("=")[2] if argument.startswith("--") and "=" in argument else argument)
    parser = command()
    if as_service.wanted():
        as_service.guard(parser)
    try:
        with parser.make_context("facesecure", globals_first(arguments)) as context:
            parser.invoke(context)
    except Exit as end:
        return end.exit_code
    return 0


def _explain(error: Exception) -> int:
    """Print the error on stderr, and return the exit code."""
    from typer import Abort

    from facesecure.domain.errors import FacesecureError

    if isinstance(error, FacesecureError):
        return _print_error(error.message, _sudo_hint(error) or error.hint, error.exit_code)
    if isinstance(error, Abort):
        return _interrupted()
    if isinstance(error, ParserError):
        return _wrong_usage(error)
    if os.environ.get(DEBUG):
        import traceback

        sys.stderr.write(redact(traceback.format_exc()))
        return 1
    if isinstance(error, OSError) and error.strerror:
        file = f"{error.filename}: " if error.filename else ""
        return _print_error(f"{file}{error.strerror}", _sudo_hint(error) or _space_hint(error), 1)
    message = f"{type(error).__name__}: {error}".splitlines()[0]
    return _print_error(message, f"this is a bug; run with {DEBUG}=1 for the traceback", 1)


def _explain_thread(failure: threading.ExceptHookArgs) -> None:
    """Print the traceback of a thread that an unexpected error ended, without secrets."""
    import traceback

    lines = traceback.format_exception(failure.exc_type, failure.exc_value, failure.exc_traceback)
    name = failure.thread.name if failure.thread else "a thread"
    sys.stderr.write(redact(f"Exception in {name}:\n{''.join(lines)}"))


def _sudo_hint(error: Exception) -> str | None:
    """Return a hint to use sudo if ``error`` comes from files that only the service or root may use.

    A camera, photo or video that may not be read has a hint of its own.
    """
    from facesecure.domain.errors import ConfigError, FacesecureError, StoreError

    reason: BaseException | None = error
    if isinstance(error, FacesecureError) and not isinstance(error, ConfigError | StoreError):
        return None
    while reason is not None and not isinstance(reason, PermissionError):
        reason = reason.__cause__
    if reason is None or as_service.started_by_root():
        return None
    return "use sudo: the configuration, key and state of the service are for root and its own user"


def _space_hint(error: OSError) -> str | None:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return "the disk or your share of it is full: free some space, or write to another folder" if full else None


def _wrong_usage(error: ParserError) -> int:
    message, hint = wrong_usage(error, "facesecure")
    if hint is None:
        sys.stderr.write(message + "\n")
        return 2
    return _print_error(message, hint, 2)


def _print_error(message: str, hint: str | None, code: int) -> int:
    sys.stderr.write(f"error: {escaped(redact(message))}\n")
    if hint:
        sys.stderr.write(f"hint: {escaped(redact(hint))}\n")
    return code


def _interrupted() -> int:
    sys.stderr.write("interrupted\n")
    return INTERRUPTED


def _silence_stdout() -> None:
    """Redirect stdout to nowhere: Python flushes it once more as it exits, and would print an error."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
