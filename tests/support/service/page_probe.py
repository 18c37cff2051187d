"""Tries what the page's process may and may not do, in its place, and prints the results; uses only Debian's Python."""

import ctypes
import errno
import json
import mmap
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

CLONE_NEWUSER = 0x10000000
LIBC = ctypes.CDLL(None, use_errno=True)
PLACES = ["/", "/etc", "/opt/facesecure", "/run", "/run/facesecure-web", "/var", "/var/lib", "/tmp"]
SECRETS = ["/var/lib/facesecure", "/etc/facesecure", "/run/facesecure", "/root", "/home"]


def outcome(act: Callable[[], object]) -> str:
    """Return "ok", or the name of the error."""
    try:
        act()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    return "ok"


def write(folder: str) -> None:
    path = Path(folder) / "probe"
    path.write_text("written")
    path.unlink()


def ask_daemon() -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect("/run/facesecure-web/web.sock")


def socket_of(family: int) -> None:
    socket.socket(family).close()


def executable_memory() -> None:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()


def run_own_program() -> None:
    program = Path("/tmp/program")
    shutil.copy("/usr/bin/true", program)
    program.chmod(0o755)
    subprocess.run([str(program)], check=True)


def unshare() -> None:
    if LIBC.unshare(CLONE_NEWUSER) == -1:
        raise OSError(ctypes.get_errno(), "unshare")


def credential(name: str) -> str:
    return (Path(os.environ["CREDENTIALS_DIRECTORY"]) / name).read_text()[:10]


def tries() -> dict[str, str]:
    found = {f"write {place}": outcome(lambda place=place: write(place)) for place in PLACES}
    found |= {f"list {place}": outcome(lambda place=place: list(Path(place).iterdir())) for place in SECRETS}
    return found | {
        "ask the daemon": outcome(ask_daemon),
        "control the daemon": outcome(lambda: Path("/run/facesecure/control.sock").stat()),
        "the authority's key": outcome(lambda: Path("/etc/facesecure/web/authority.key").read_bytes()),
        "certificate": credential("certificate.pem"),
        "key": credential("key.pem"),
        "socket INET": outcome(lambda: socket_of(socket.AF_INET)),
        "socket INET6": outcome(lambda: socket_of(socket.AF_INET6)),
        "socket NETLINK": outcome(lambda: socket_of(16)),
        "writable and executable memory": outcome(executable_memory),
        "run a program of its own": outcome(run_own_program),
        "unshare": outcome(unshare),
        "become root": outcome(lambda: os.setuid(0)),
        "see process 1": outcome(lambda: Path("/proc/1/status").stat()),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(tries()))
