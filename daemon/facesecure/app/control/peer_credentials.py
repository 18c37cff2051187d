"""Who is at the other end of the socket, as the kernel tells it, and whether they may ask.

The file's mode (0660) keeps most others out already; this holds where somebody loosened it.
"""

from __future__ import annotations

import os
import socket
import struct
from dataclasses import dataclass

GROUP = "facesecure"
_SO_PEERGROUPS = 59  # asm-generic/socket.h; Python has no name for it
_CREDENTIALS = struct.Struct("3i")
_BYTES = 1024
"""The most that Python asks for: 256 groups."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A process, as it was when it connected."""

    pid: int
    uid: int
    groups: frozenset[int]

    @classmethod
    def of(cls, connection: socket.socket) -> Peer:
        """Of a connected Unix socket (SO_PEERCRED, SO_PEERGROUPS; unix(7))."""
        raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        pid, uid, gid = _CREDENTIALS.unpack(raw)
        return cls(pid, uid, frozenset({gid, *_supplementary(connection)}))

    def refused(self, group: str = GROUP) -> str:
        """Why this peer may not ask; empty if it may."""
        if self.uid in (0, os.geteuid()):
            return ""
        number = _number_of(group)
        if number is not None and number in self.groups:
            return ""
        return f"user {self.uid} may not control facesecure: only root, and members of the group {group}"


def _supplementary(connection: socket.socket) -> list[int]:
    """Nobody is in more groups than fit; whoever is all the same is known by the first of them."""
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
