"""Runs a command that root started as the service's user, with the files that root named.

The installed ``facesecure`` sets FACESECURE_RUN_AS if root starts it. The command line is parsed as root, which touches
no file but the program's own; then what it names is opened, root's rights are given up, and the command runs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

VARIABLE = "FACESECURE_RUN_AS"
READ = {
    ("facesecure", "config"),
    ("enroll", "images"),
    ("enroll", "video"),
    ("enroll", "camera"),
    ("run", "source"),
    ("identify", "images"),
    ("config check", "file"),
    ("people export", "passphrase_file"),
    ("people import", "file"),
    ("people import", "passphrase_file"),
    ("hub init", "ca"),
    ("hub join", "ca"),
}
"""Command and parameter that name a file or folder to read."""
WRITTEN = {
    ("people export", "file"),
    ("events export", "to"),
    ("events clip", "to"),
    ("calibrate", "chart"),
    ("speech say", "out"),
    ("web certificate", "authority_out"),
}
"""Command and parameter that name a file to write."""
OTHERS = {
    ("facesecure", "state_dir"),
    ("events export", "clips"),
    ("demo", "out"),
    ("key make", "file"),
    ("web certificate", "folder"),
    ("web serve", "certificate"),
    ("web serve", "key"),
    ("web serve", "socket"),
    ("archive rejudge", "cluster_tls"),
}
"""Parameters that name what the service's user itself has to be able to use, or what ROOTS_OWN commands write."""
ROOTS_OWN = {"key make": "file", "web certificate": "folder"}
"""Commands that touch nothing of the service's, and the parameter that names what they write.

They keep root's rights unless they are told to work in its folders.
"""
_VARIABLES = ("FACESECURE_CONFIG", "FACESECURE_KEY_FILE")
_SCHEMES = ("file:", "dir:")
_GUARDED = "gives_up_root"


def wanted() -> bool:
    """Return whether this process is root's and has to run as the service's user."""
    return bool(os.environ.get(VARIABLE)) and os.geteuid() == 0


def started_by_root() -> bool:
    """Return whether root started this command."""
    return os.geteuid() == 0 or VARIABLE in os.environ


def guard(command: Any) -> None:
    """Make ``command``, or each command of a group, give up root's rights after it is parsed and before it runs."""
    if vars(command).get(_GUARDED):
        return
    setattr(command, _GUARDED, True)
    if not hasattr(command, "commands"):
        command.invoke = _guarded(command.invoke)
        return
    find = command.get_command  # a plugin's command is loaded when it is looked for

    def found(context: Any, name: str) -> Any:
        inner = find(context, name)
        if inner is not None:
            guard(inner)
        return inner

    command.get_command = found


def _guarded(invoke: Any) -> Any:
    def guarded(context: Any) -> Any:
        become_service(context)
        return invoke(context)

    return guarded


def become_service(context: Any) -> None:
    """Open what the command line of ``context`` names, and give up root's rights. Raises OSError, RuntimeError."""
    import pwd

    from facesecure.domain.actors import act_as, command_line_actor
    from facesecure.domain.errors import UsageError
    from facesecure.util import callers_files, root_helper
    from facesecure.util.privileges import become
    from facesecure.util.trusted_paths import ServiceUser

    user = os.environ[VARIABLE]
    try:
        account = pwd.getpwnam(user)
    except KeyError:
        raise UsageError(f"there is no user {user}", "sudo make install creates it") from None
    service = ServiceUser(account.pw_uid, frozenset(os.getgrouplist(user, account.pw_gid)))
    command = _name(context)
    if command in ROOTS_OWN and _is_roots(Path(context.params[ROOTS_OWN[command]]), service):
        return
    act_as(command_line_actor())  # while this process knows it
    files = callers_files.CallersFiles(service)
    _hold(files, context, command)
    root_helper.start(files)
    become(user)
    callers_files.use(files)


def _hold(files: Any, context: Any, command: str) -> None:
    from facesecure.util.paths import expanded

    for inner in (context.find_root(), context):
        name = "facesecure" if inner is context.find_root() else command
        for parameter, value in inner.params.items():
            for path in _paths(value):
                if (name, parameter) in READ:
                    files.hold(expanded(path))
                elif (name, parameter) in WRITTEN:
                    files.hold_draft(path)
    for variable in _VARIABLES:
        if named := os.environ.get(variable):
            files.hold(expanded(named))
    _hold_key(files)


def _hold_key(files: Any) -> None:
    if key := os.environ.get("FACESECURE_KEY_FILE"):
        files.key = Path(key).absolute() if _is_roots(Path(key), files.service) else None
        if files.next_key is not None:
            files.hold(files.next_key)


def _is_roots(path: Path, service: Any) -> bool:
    from facesecure.util.trusted_paths import open_trusted

    try:
        os.close(open_trusted(path.absolute().parent, service))
    except OSError:
        return False
    return True


def _paths(value: Any) -> Iterator[Path]:
    if isinstance(value, list | tuple):
        for one in value:
            yield from _paths(one)
    elif isinstance(value, Path):
        yield value
    elif isinstance(value, str) and value:
        scheme = next((scheme for scheme in _SCHEMES if value.startswith(scheme)), "")
        yield Path(value.removeprefix(scheme))


def _name(context: Any) -> str:
    """Return the words of the command: "people export"."""
    words: list[str] = []
    while context.parent is not None:
        words.insert(0, str(context.info_name))
        context = context.parent
    return " ".join(words)
