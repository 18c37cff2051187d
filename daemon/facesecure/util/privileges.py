"""Gives up root for good: ids, groups, capabilities, and every way to get them back.

A command that root runs on the service's files runs as the service's user. Whoever is that user can plant files for the
command, trace its process and signal it. So all three user and group ids change, every capability goes (bounding and
ambient sets too), no program that it starts can gain any, other processes of the user cannot attach to it, and it
cannot type into root's terminal (TIOCSTI).
"""

from __future__ import annotations

import ctypes
import errno
import os
import pwd
import struct
from contextlib import suppress

_PR_SET_DUMPABLE, _PR_SET_KEEPCAPS, _PR_SET_SECCOMP, _PR_CAPBSET_DROP = 4, 8, 22, 24
_PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT, _CLEAR_ALL = 38, 47, 4
_LAST_CAPABILITY = 63
_CAPABILITY_VERSION_3 = 0x20080522
_SECCOMP_MODE_FILTER = 2
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06  # classic BPF: linux/bpf_common.h
_NUMBER, _ARCHITECTURE, _REQUEST = (
    0,
    4,
    24,
)  # offsets in seccomp_data; the request is the low half of an ioctl's 2nd argument
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_X32 = 0x40000000
_IOCTL = {"x86_64": (0xC000003E, 16), "aarch64": (0xC00000B7, 29)}
"""Machine to the number of its architecture (linux/audit.h) and of the system call ioctl."""

_libc = ctypes.CDLL(None, use_errno=True)


def become(user: str) -> None:
    """Become ``user`` with that user's groups and nothing else, irrevocably. Root only; before any thread is started.

    Raises KeyError if there is no such user, ValueError if it is root, OSError or RuntimeError if anything of root is
    left.
    """
    account = pwd.getpwnam(user)
    if account.pw_uid == 0:
        raise ValueError(f"{user} is root")
    _prctl(_PR_SET_KEEPCAPS, 0)
    _empty_bounding_set()
    os.setgroups(os.getgrouplist(user, account.pw_gid))
    os.setresgid(account.pw_gid, account.pw_gid, account.pw_gid)
    os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)
    with suppress(OSError):  # a kernel without ambient capabilities
        _prctl(_PR_CAP_AMBIENT, _CLEAR_ALL)
    _drop_capabilities()
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _prctl(_PR_SET_DUMPABLE, 0)
    _close_terminal()
    _verify(account.pw_uid)


def _empty_bounding_set() -> None:
    for capability in range(_LAST_CAPABILITY + 1):
        try:
            _prctl(_PR_CAPBSET_DROP, capability)
        except OSError as error:
            if error.errno == errno.EINVAL:  # beyond the kernel's last
                return
            if error.errno != errno.EPERM:  # a container's root may not; no_new_privs makes the set powerless
                raise


def _drop_capabilities() -> None:
    header, none = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0), bytes(24)
    if _libc.capset(ctypes.create_string_buffer(header), ctypes.create_string_buffer(none)) != 0:
        raise _error("capset")


def _close_terminal() -> None:
    """Refuse the ioctls that put input into a terminal as if it were typed there (ioctl_tty(2))."""
    if (known := _IOCTL.get(os.uname().machine)) is None:
        return
    architecture, ioctl = known
    program = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_IF_EQUAL, 0, 7, architecture),  # a 32-bit call has other numbers
        (_LOAD, 0, 0, _NUMBER),
        (_IF_AT_LEAST, 5, 0, _X32),
        (_IF_EQUAL, 0, 3, ioctl),
        (_LOAD, 0, 0, _REQUEST),
        (_IF_EQUAL, 2, 0, _TIOCSTI),
        (_IF_EQUAL, 1, 0, _TIOCLINUX),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in program))
    head = ctypes.create_string_buffer(struct.pack("@HP", len(program), ctypes.addressof(code)))
    with suppress(OSError):  # a kernel without seccomp
        _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(head))


def _verify(uid: int) -> None:
    if os.getresuid() != (uid, uid, uid) or 0 in (*os.getresgid(), *os.getgroups()):
        raise RuntimeError("root's ids are not given up")
    for regain in (os.setuid, os.seteuid):
        with suppress(PermissionError):
            regain(0)
            raise RuntimeError("root can be regained")


def _prctl(option: int, *arguments: int) -> None:
    values = [ctypes.c_ulong(value) for value in (*arguments, 0, 0, 0, 0)[:4]]
    if _libc.prctl(option, *values) != 0:
        raise _error(f"prctl({option})")


def _error(call: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, f"{call}: {os.strerror(number)}")
