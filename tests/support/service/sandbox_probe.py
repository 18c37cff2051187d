"""Tries what the service may and may not do, and writes the results to a file; uses only Debian's Python."""

import ctypes
import errno
import json
import mmap
import os
import resource
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWUSER, PTRACE_ATTACH, RB_AUTOBOOT, KEYCTL_GET_KEYRING_ID = 0x10000000, 16, 0x01234567, 0
ARCHITECTURE_BPF = {"x86_64": 321, "aarch64": 280}[os.uname().machine]
KEYCTL = {"x86_64": 250, "aarch64": 219}[os.uname().machine]
FAMILIES = {"INET": 2, "INET6": 10, "UNIX": 1, "NETLINK": 16, "PACKET": 17, "BLUETOOTH": 31, "ALG": 38, "VSOCK": 40}
PLACES = [
    "/", "/etc", "/etc/facesecure", "/opt/facesecure", "/srv", "/usr", "/var", "/var/lib", "/var/tmp/..", "/run",
    "/dev", "/tmp", "/var/lib/facesecure", "/run/facesecure",
]  # fmt: skip


def outcome(act: Callable[[], object]) -> str:
    """Return "ok", or the name of the error."""
    try:
        act()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    return "ok"


def call(function: str, *arguments: object) -> None:
    """Return a function of the C library that returns -1 on failure."""
    if getattr(LIBC, function)(*arguments) == -1:
        raise OSError(ctypes.get_errno(), function)


def write(folder: str) -> None:
    path = Path(folder) / "probe"
    path.write_text("written")
    path.unlink()


def executable_memory() -> None:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()


def open_device(path: str) -> None:
    os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))


def key() -> None:
    assert (Path(os.environ["CREDENTIALS_DIRECTORY"]) / "facesecure.key").read_bytes()


def socket_of(family: int) -> None:
    kind = socket.SOCK_RAW if family == FAMILIES["NETLINK"] else socket.SOCK_STREAM
    socket.socket(family, socket.SOCK_SEQPACKET if family == FAMILIES["ALG"] else kind).close()


def reach_hub() -> None:
    """Try the driver of the hub's database on a port where nobody listens: it gets as far as the network."""
    sys.path.insert(0, "/srv/driver")
    import psycopg

    try:
        psycopg.connect(host="127.0.0.1", port=9, sslmode="verify-full", sslrootcert="system", connect_timeout=20)
    except psycopg.OperationalError as error:
        assert "refused" in str(error), error  # noqa: PT017


def status(*names: str) -> str:
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return " ".join(f"{int(lines[name].strip(), 16):x}" for name in names)


def tries() -> dict[str, str]:
    found = {f"write {place}": outcome(lambda place=place: write(place)) for place in PLACES}
    for family, number in FAMILIES.items():
        found[f"socket {family}"] = outcome(lambda number=number: socket_of(number))
    for path in ("/home/householder/secret", "/tmp/left-by-others", "/etc/facesecure/key"):
        found[f"read {path}"] = outcome(lambda path=path: Path(path).read_bytes())
    for path in ("/home", "/root"):
        found[f"list {path}"] = outcome(lambda path=path: list(Path(path).iterdir()))
    for path in ("/dev/video7", "/dev/pcm", "/dev/mouse"):
        found[f"open {path}"] = outcome(lambda path=path: open_device(path))
    return found | {
        "read /opt/facesecure": outcome(lambda: list(Path("/opt/facesecure/bin").iterdir())),
        "the key": outcome(key),
        "the hub": outcome(reach_hub),
        "writable and executable memory": outcome(executable_memory),
        "mount": outcome(lambda: call("mount", b"tmpfs", b"/tmp", b"tmpfs", 0, None)),
        "unshare": outcome(lambda: call("unshare", CLONE_NEWUSER)),
        "setuid": outcome(lambda: os.setuid(0)),
        "sethostname": outcome(lambda: socket.sethostname("mine")),
        "settime": outcome(lambda: time.clock_settime(time.CLOCK_REALTIME, time.time())),
        "ptrace": outcome(lambda: call("ptrace", PTRACE_ATTACH, 1, None, None)),
        "reboot": outcome(lambda: call("reboot", RB_AUTOBOOT)),
        "bpf": outcome(lambda: call("syscall", ARCHITECTURE_BPF, 0, None, 0)),
        "keyctl": outcome(lambda: call("syscall", KEYCTL, KEYCTL_GET_KEYRING_ID, -4, 0)),
        "swapon": outcome(lambda: call("swapon", b"/tmp/swap", 0)),
        "see process 1": outcome(lambda: Path("/proc/1/status").stat()),
        "capabilities": status("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"),
        "no new privileges": status("NoNewPrivs"),
        "core size": str(resource.getrlimit(resource.RLIMIT_CORE)),
    }


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(tries()))
