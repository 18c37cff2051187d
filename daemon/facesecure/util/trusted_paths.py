"""Opens a path as root only if the service's user could not have changed where it leads.

Root names a path, and root's rights open it. Were a folder on the way the service's, a link planted there could lead to
any file of root's. So the path is followed one name at a time, and each folder, link and file on it is checked.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

_MOST_LINKS = 40
_OWN_DESCRIPTOR = re.compile(r"/(?:dev|proc/self)/fd/([0-9]+)|/dev/(stdin)")


class UntrustedPathError(PermissionError):
    """The service's user decides where this path leads."""


@dataclass(frozen=True, slots=True)
class ServiceUser:
    """The user that is not trusted: its uid, and the gids of its groups."""

    uid: int
    groups: frozenset[int]

    def owns(self, found: os.stat_result) -> bool:
        """Return whether this user can replace what lies in the folder ``found``, or the link or file itself."""
        if found.st_uid == self.uid:
            return True
        if not stat.S_ISDIR(found.st_mode) or found.st_mode & stat.S_ISVTX:
            return False
        by_group = bool(found.st_mode & stat.S_IWGRP) and found.st_gid in self.groups
        return by_group or bool(found.st_mode & stat.S_IWOTH)


def open_trusted(path: Path, service: ServiceUser, flags: int = os.O_RDONLY) -> int:
    """Open the existing file or folder ``path`` with ``flags`` and return the descriptor.

    Raises UntrustedPathError if ``service`` decides where it leads, OSError if it cannot be opened.
    """
    if found := _OWN_DESCRIPTOR.fullmatch(str(path)):  # what a shell passes for <(command)
        return os.dup(0 if found[2] else int(found[1]))
    location = _walk(path, service)
    try:
        return os.open(f"/proc/self/fd/{location}", flags | os.O_CLOEXEC)
    finally:
        os.close(location)


def _walk(path: Path, service: ServiceUser) -> int:
    """Return a descriptor (O_PATH) of what ``path`` leads to."""
    names, links = list(reversed(path.absolute().parts[1:])), 0
    here = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        while names:
            there = os.open(names.pop(), os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here)
            found = os.fstat(there)
            if service.owns(found):
                os.close(there)
                raise UntrustedPathError(errno.EACCES, "the service's user decides where this leads", str(path))
            if not stat.S_ISLNK(found.st_mode):
                os.close(here)
                here = there
                continue
            target = _read_link(there)
            links += 1
            if links > _MOST_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
            names += reversed(target.parts[1:] if target.is_absolute() else target.parts)
            if target.is_absolute():
                os.close(here)
                here = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except BaseException:
        os.close(here)
        raise
    return here


def _read_link(descriptor: int) -> Path:
    try:
        return Path(os.readlink("", dir_fd=descriptor))
    finally:
        os.close(descriptor)
