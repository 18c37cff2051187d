"""Check, by the kernel's credentials, whether the process at the other end of the socket may control the daemon.

The socket's mode (0660) keeps most other users out already; this check holds even if the mode was changed.
"""

from __future__ import annotations

import os
import socket
import struct
from dataclasses import dataclass
from pathlib import Path

from facesecure.domain.actors import CONTROL_SOCKET, LONGEST_ACTOR, Actor, user_name
from facesecure.util.plain_text import one_line

GROUP = "facesecure"
_SO_PEERGROUPS = 59  # asm-generic/socket.h; Python has no name for it
_CREDENTIALS = struct.Struct("3i")
_OVERFLOW = 65534  # what the kernel says in place of a group that a process does not see (user_namespaces(7))
_BYTES = 1024
"""The largest buffer that Python's getsockopt allows: 256 groups."""


@dataclass(frozen=True, slots=True)
class Peer:
    """The process at the other end of a socket, as it was when it connected.

    Example::

        if why := Peer.of(connection).refused():
            ...
    """

    pid: int
    uid: int
    groups: frozenset[int]

    @classmethod
    def of(cls, connection: socket.socket) -> Peer:
        """Return the peer of a connected Unix socket (SO_PEERCRED, SO_PEERGROUPS; unix(7))."""
        raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        pid, uid, gid = _CREDENTIALS.unpack(raw)
        return cls(pid, uid, frozenset({gid, *_supplementary(connection)}))

    def actor(self, behalf: object = None) -> Actor:
        """Return who acts, for the audit log: this user.

        ``behalf`` names the user who called sudo; only root and the daemon's own user, as which sudo facesecure runs,
        are believed.
        """
        if isinstance(behalf, str) and self._is_trusted:
            return Actor(one_line(behalf, LONGEST_ACTOR), CONTROL_SOCKET)
        return Actor(user_name(self.uid), CONTROL_SOCKET)

    @property
    def _is_trusted(self) -> bool:
        return self.uid in (0, os.geteuid())

    def refused(self, group: str = GROUP) -> str:
        """Return why this peer may not send commands; empty if it may: as root, this user, or a member of ``group``.

        Where the kernel does not tell this process of ``group``, the mode of the socket and of its folder decides.
        """
        if self._is_trusted:
            return ""
        number = _number_of(group)
        if number is not None and (number in self.groups or (_OVERFLOW in self.groups and not is_mapped(number))):
            return ""
        return f"user {self.uid} may not control facesecure: only root, and members of the group {group}"


def is_mapped(group: int, mapping: Path = Path("/proc/self/gid_map")) -> bool:
    """Return whether this process sees the group with that number: with PrivateUsers= it sees root's and its own."""
    try:
        ranges = [tuple(map(int, line.split())) for line in mapping.read_text().splitlines()]
    except OSError:
        return True
    return any(first <= group < first + count for first, _, count in ranges)


def _supplementary(connection: socket.socket) -> list[int]:
    """Return the peer's supplementary groups; none if there are more than fit the buffer."""
    try:
        raw = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _BYTES)
    except OSError:
        return []
    return [number for (number,) in struct.iter_unpack("I", raw)]


def _number_of(group: str) -> int | None:
    import grp

    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        return None
