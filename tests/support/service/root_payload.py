"""What code that takes over a command of root's would try after root's rights were given up. Prints what came of each.

``python root_payload.py USER``: as root it becomes USER first.
"""

import ctypes
import errno
import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)
PTRACE_ATTACH, PTRACE_DETACH, PR_CAPBSET_READ, PR_CAP_AMBIENT, RAISE = 16, 17, 23, 47, 2
CAP_SETUID, CAP_DAC_OVERRIDE = 7, 1


def outcome(act: Callable[[], object]) -> str:
    try:
        act()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    return "ok"


def call(function: str, *arguments: object) -> int:
    result = getattr(LIBC, function)(*arguments)
    if result == -1:
        raise OSError(ctypes.get_errno(), function)
    return int(result)


def raise_capabilities() -> None:
    header = ctypes.create_string_buffer(struct.pack("=Ii", 0x20080522, 0))
    wanted = ctypes.create_string_buffer(struct.pack("=6I", 1 << CAP_SETUID, 1 << CAP_SETUID, 0, 0, 0, 0))
    call("capset", header, wanted)


def tty_input() -> None:
    """Put a byte into the input of the terminal that a process was started from."""
    _, terminal = os.openpty()
    if (child := os.fork()) == 0:
        os.setsid()
        fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
        try:
            fcntl.ioctl(terminal, termios.TIOCSTI, b"x")
        except OSError as error:
            os._exit(error.errno or 1)
        os._exit(0)
    if number := os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        raise OSError(number, "TIOCSTI")


def status(*names: str) -> str:
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return " ".join(lines[name].strip().replace("\t", " ") for name in names)


def by_setuid_program() -> str:
    """Return the effective user of a program that belongs to root and has the set-uid bit."""
    done = subprocess.run(["su", "-c", "id -u"], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    return "root" if done.stdout.strip() == "0" else "refused"


def process_of_root() -> int:
    """Return a process whose four user ids are root's; process 1 of a container may be somebody else's."""
    for status_file in Path("/proc").glob("[0-9]*/status"):
        with suppress(FileNotFoundError, ProcessLookupError):
            if "\nUid:\t0\t0\t0\t0\n" in status_file.read_text():
                return int(status_file.parent.name)
    raise LookupError("no process of root's")


def tries() -> dict[str, str]:
    return {
        "setuid 0": outcome(lambda: os.setuid(0)),
        "seteuid 0": outcome(lambda: os.seteuid(0)),
        "setresuid 0": outcome(lambda: os.setresuid(0, 0, 0)),
        "setreuid 0": outcome(lambda: os.setreuid(0, 0)),
        "setgid 0": outcome(lambda: os.setgid(0)),
        "setresgid 0": outcome(lambda: os.setresgid(0, 0, 0)),
        "setgroups 0": outcome(lambda: os.setgroups([0])),
        "setfsuid 0": "EPERM" if LIBC.setfsuid(0) >= 0 and LIBC.setfsuid(-1) != 0 else "ok",
        "capset": outcome(raise_capabilities),
        "ambient capability": outcome(lambda: call("prctl", PR_CAP_AMBIENT, RAISE, CAP_DAC_OVERRIDE, 0, 0)),
        "read /etc/shadow": outcome(lambda: Path("/etc/shadow").read_bytes()),
        "write /etc": outcome(lambda: Path("/etc/planted").write_text("x")),
        "chroot": outcome(lambda: os.chroot("/")),
        "mknod": outcome(lambda: os.mknod("/tmp/planted-device", 0o600 | 0o020000, os.makedev(1, 1))),
        "chown": outcome(lambda: os.chown("/tmp", 0, 0)),
        "bind port 80": outcome(lambda: socket.socket().bind(("127.0.0.1", 80)) if unprivileged() > 80 else deny()),
        "type into the terminal": outcome(tty_input),
        "signal a process of root's": outcome(lambda: os.kill(process_of_root(), 0)),  # SIGCONT is allowed in a session
        "set-uid program": by_setuid_program(),
        "ids": status("Uid", "Gid"),
        "groups": " ".join(map(str, sorted(os.getgroups()))),
        "capabilities": status("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"),
        "no new privileges": status("NoNewPrivs"),
    }


def unprivileged() -> int:
    return int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())


def deny() -> None:
    raise OSError(errno.EACCES, "not tried: this machine lets everybody")


if __name__ == "__main__":
    if os.geteuid() == 0:
        from facesecure.util.privileges import become

        become(sys.argv[1])
    print(json.dumps(tries()))
