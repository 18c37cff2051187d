"""A whole Debian, booted for a test: this machine's files, or a folder's, under a temporary layer; a real systemd.

    with BootedSystem(share={ROOT: "/usr/src/facesecure"}) as system:
        system.run("systemctl", "start", "something")
        system.wait_for(lambda: system.property("something", "ActiveState") == "active", "something to start")

systemd-nspawn does it (Debian: systemd-container), as root. Inside there is a network of its own with a loopback and
nothing else. Everything written is in memory and gone at the end; so is every process.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from support.service.cgroups import Cgroups

BOOT_SECONDS = 300.0
PATIENCE = 60.0
"""Seconds that a busy machine may take longer for anything that is waited for."""
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ENVIRONMENT = {"PATH": _PATH, "LANG": "C.UTF-8", "HOME": "/root"}
_NUMBERS = itertools.count(1)
_TOOLS = ("systemd-nspawn", "nsenter", "mount", "umount", "journalctl", "systemctl")


def unavailable() -> str | None:
    """Return why no system can be booted here; None if one can."""
    if os.geteuid() != 0:
        return "booting a system needs root"
    missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if missing:
        return f"{', '.join(missing)} is missing: apt install systemd-container"
    try:
        with _Layer(), Cgroups(f"facesecure-trial-{os.getpid()}"):
            return None
    except (OSError, subprocess.CalledProcessError) as error:
        return f"this machine lets nobody boot a system: {error}"


class BootedSystem:
    """One system, booted for a ``with`` block. Its journal is printed if the block fails."""

    def __init__(self, share: Mapping[Path, str] | None = None, base: Path = Path("/")) -> None:
        """Set up; ``share`` maps folders and files of this machine to where they appear inside, read-only.

        ``base`` is the folder with the system's files: this machine's own, or a chroot, which stays as it is.
        """
        self._share = share or {}
        self._layer = _Layer(base)
        self._cgroups = Cgroups(f"facesecure-{os.getpid()}-{next(_NUMBERS)}")  # a session's system may still run
        self._nspawn: subprocess.Popen[bytes] | None = None
        self._leader = 0
        self._started: list[Program] = []

    def __enter__(self) -> Self:
        self._layer.__enter__()
        try:
            self._cgroups.__enter__()
            self._boot()
        except BaseException:
            self._tear_down()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is not None:
                print(self.journal_text())
        finally:
            self._tear_down()

    # Inside -------------------------------------------------------------------------------------------------------

    def run(
        self, *command: object, timeout: float = 30.0, check: bool = True, stdin: str | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run ``command`` inside as root and wait for it. Raises AssertionError with its output if it fails."""
        done = subprocess.run(
            self._inside(command, environment), input=stdin or "", capture_output=True, text=True, timeout=timeout,
            check=False,
        )  # fmt: skip
        if check and done.returncode != 0:
            raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done

    def start(self, *command: object, **environment: str) -> Program:
        """Start ``command`` inside as root without waiting; it is killed at the end."""
        program = Program(self._inside(command, environment))
        self._started.append(program)
        return program

    def write(self, path: str, content: str | bytes, mode: int = 0o644) -> None:
        """Write a file inside, and its folder if it is missing."""
        data = content.encode() if isinstance(content, str) else content
        script = f'mkdir -p "$(dirname "$1")" && cat >"$1" && chmod {mode:o} "$1"'
        subprocess.run(self._inside(["sh", "-c", script, "-", path], {}), input=data, check=True, timeout=30)

    def read(self, path: str) -> str:
        """Read a file inside."""
        return self.run("cat", path).stdout

    def exists(self, path: str) -> bool:
        return self.run("test", "-e", path, check=False).returncode == 0

    def property(self, unit: str, name: str) -> str:
        """Return one property of a unit (``systemctl show``)."""
        return self.run("systemctl", "show", "--value", "--property", name, unit).stdout.strip()

    def journal(self, *matches: str) -> list[dict[str, Any]]:
        """Return the journal's entries that match ("FACESECURE_KIND=stranger", "--unit=facesecure"), oldest first."""
        self._write_journal()
        told = self.run("journalctl", "--no-pager", "--quiet", "--output=json", "--all", *matches, check=False).stdout
        return [json.loads(line) for line in told.splitlines()]

    def journal_text(self, unit: str = "facesecure") -> str:
        """Return the log of one unit and of systemd about it, as text."""
        self._write_journal()
        words = ("journalctl", "--no-pager", "--output=short-monotonic", "--unit", unit)
        return f"--- the journal of {unit}\n{self.run(*words, check=False).stdout}---"

    def _write_journal(self) -> None:
        """Have journald write what it was told and has not come to yet."""
        self.run("journalctl", "--sync", check=False)

    def wait_for(self, true: Callable[[], object], what: str, timeout: float = 30.0) -> None:
        """Wait until ``true()`` returns true.

        Raises AssertionError after ``timeout`` seconds, which a quiet machine does not take, and PATIENCE more.
        """
        began, longest = time.monotonic(), timeout + PATIENCE
        while not true():
            assert time.monotonic() - began < longest, f"waited {longest:g} s for {what}, and it did not come"
            time.sleep(0.1)

    @contextmanager
    def nearly_full(self, free: int) -> Iterator[None]:
        """Leave ``free`` bytes on the disk, for a while."""
        self._layer.limit(free)
        try:
            yield
        finally:
            self._layer.limit(None)

    # Around it ----------------------------------------------------------------------------------------------------

    def _inside(self, command: Any, environment: Mapping[str, str]) -> list[str]:
        settings = [f"{name}={value}" for name, value in {**_ENVIRONMENT, **environment}.items()]
        spaces = ["-m", "-u", "-i", "-n", "-p", "-C"]
        return ["nsenter", "-t", str(self._leader), *spaces, "--", "env", "-i", *settings, *map(str, command)]

    def _boot(self) -> None:
        binds = [f"--bind-ro={here}:{there}" for here, there in self._share.items()]
        self._nspawn = subprocess.Popen(
            [
                "systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit", "--private-network",
                "--console=pipe", "--link-journal=no", "--resolv-conf=off", "--timezone=off",
                "--machine", self._cgroups.name, "--directory", str(self._layer.root),
                # systemd needs these to restrict devices and addresses with BPF programs.
                "--capability=CAP_BPF,CAP_NET_ADMIN,CAP_PERFMON", "--system-call-filter=bpf",
                *binds, "systemd.condition-first-boot=no", "systemd.firstboot=no",
            ],
            stdin=subprocess.DEVNULL, stdout=self._layer.console, stderr=subprocess.STDOUT,
            env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}, preexec_fn=self._cgroups.join,
        )  # fmt: skip
        deadline = time.monotonic() + BOOT_SECONDS
        while not self._booted():
            if self._nspawn.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"no system came up:\n{self._layer.console_text()}")
            time.sleep(0.05)

    def _booted(self) -> bool:
        assert self._nspawn is not None
        if not self._leader:
            self._leader = _leader_of(self._nspawn.pid)
            return False
        state = self.run("systemctl", "is-system-running", check=False).stdout.strip()
        return state in ("running", "degraded")

    def _tear_down(self) -> None:
        for program in self._started:
            program.kill()
            with program:  # closes its pipe, and waits
                pass
        if self._nspawn is not None:
            if self._leader:
                self.run("systemctl", "poweroff", check=False)
            try:
                self._nspawn.wait(15)
            except subprocess.TimeoutExpired:
                self._nspawn.kill()  # and the kernel kills everything inside
                self._nspawn.wait()
        self._cgroups.__exit__(None, None, None)
        self._layer.__exit__(None, None, None)


class Program(subprocess.Popen[str]):
    """A process inside. Signals go to its group: nsenter stays outside and its child enters."""

    def __init__(self, command: list[str]) -> None:
        super().__init__(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            start_new_session=True,
        )  # fmt: skip

    def line(self) -> str:
        """Wait for the next line of its stdout and return it."""
        assert self.stdout is not None
        return self.stdout.readline().rstrip("\n")

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            os.killpg(self.pid, sig)


class _Layer:
    """The files of ``base`` with a layer in memory on top, at ``root``."""

    def __init__(self, base: Path = Path("/")) -> None:
        self._base = base
        self._folder = Path()

    @property
    def root(self) -> Path:
        return self._folder / "root"

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="facesecure-booted-"))
        try:
            _call("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", self._folder)
            for name in ("upper", "work", "root"):
                (self._folder / name).mkdir()
            layers = f"lowerdir={self._base},upperdir={self._folder / 'upper'},workdir={self._folder / 'work'}"
            _call("mount", "-t", "overlay", "-o", layers, "overlay", self.root)
            self.console = (self._folder / "console").open("wb")
        except BaseException:
            self._unmount()
            raise
        return self

    def console_text(self) -> str:
        return (self._folder / "console").read_text(errors="replace")

    def limit(self, free: int | None) -> None:
        """Let ``free`` bytes more be written; None: half of the machine's memory, as without a limit."""
        disk = os.statvfs(self._folder)
        size = "50%" if free is None else str((disk.f_blocks - disk.f_bfree) * disk.f_frsize + free)
        _call("mount", "-o", f"remount,size={size}", self._folder)

    def __exit__(self, *error: object) -> None:
        self.console.close()
        self._unmount()

    def _unmount(self) -> None:
        for mounted in (self.root, self._folder):
            subprocess.run(["umount", "--lazy", str(mounted)], capture_output=True, check=False)
        self._folder.rmdir()


def _leader_of(nspawn: int) -> int:
    """Return the process id, outside, of the system's first process; 0 if there is none yet."""
    try:
        children = Path(f"/proc/{nspawn}/task/{nspawn}/children").read_text().split()
        systemd = [child for child in children if Path(f"/proc/{child}/comm").read_text().strip() == "systemd"]
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(systemd[0]) if systemd else 0


def _call(*command: object) -> None:
    subprocess.run([str(word) for word in command], check=True, capture_output=True)
