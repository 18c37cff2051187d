"""What code with the service's rights can make of a command that root started: nothing that needs root."""

from __future__ import annotations

import grp
import json
import os
import pwd
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from facesecure.util.trusted_paths import ServiceUser, UntrustedPathError, open_trusted
from support.faults.table import attack

PAYLOAD = Path(__file__).parents[1] / "support" / "service" / "root_payload.py"
NOBODY = "nobody"
REFUSED = {"EPERM", "EACCES", "refused"}
STATES = {"ids", "groups", "capabilities", "no new privileges"}

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to give up")


def payload(**how: Any) -> dict[str, str]:
    done = subprocess.run(
        [sys.executable, str(PAYLOAD), NOBODY], capture_output=True, text=True, check=False, timeout=60, **how
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


@root_only
@attack(
    "code in a command of root's wants root back",
    how="setuid, seteuid, setresuid, setgid, setgroups, setfsuid, capset, an ambient capability, su, chroot, mknod, "
    "chown, TIOCSTI, /etc/shadow, from inside the process after it became the service's user",
)
def test_nothing_of_root_is_left_after_its_rights_are_given_up(saw: Callable[[str], None]) -> None:
    found = payload(user=0, extra_groups=[0, 4])
    account = pwd.getpwnam(NOBODY)
    tried = {what: how for what, how in found.items() if what not in STATES}
    assert {what: how for what, how in tried.items() if how not in REFUSED} == {}
    assert found["ids"] == " ".join([*[str(account.pw_uid)] * 4, *[str(account.pw_gid)] * 4])
    assert found["groups"] == " ".join(map(str, sorted(os.getgrouplist(NOBODY, account.pw_gid))))
    assert set(found["capabilities"].split()) == {"0" * 16}
    assert found["no new privileges"] == "1"
    saw(f"{len(tried)} of {len(tried)} tries refused; every id and group is the user's, all five capability sets empty")


_WAITING = """
import sys
from facesecure.util.privileges import become
become(sys.argv[1])
print("ready", flush=True)
sys.stdin.read()
"""
_TRACING = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
traced = libc.ptrace(16, int(sys.argv[1]), None, None)
try:
    memory = os.open(f"/proc/{sys.argv[1]}/mem", os.O_RDONLY)
except OSError:
    memory = -1
try:
    files = os.listdir(f"/proc/{sys.argv[1]}/fd")
except OSError:
    files = None
print(traced, memory, files)
"""


@root_only
@attack(
    "another process of the service's user takes over a command of root's",
    how="ptrace, /proc/PID/mem and /proc/PID/fd of the command, by a process of the same user",
)
def test_other_processes_of_the_user_cannot_get_into_the_command(saw: Callable[[str], None]) -> None:
    command = [sys.executable, "-c", _WAITING, NOBODY]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "ready\n"
        tried = subprocess.run(
            ["/usr/bin/python3", "-c", _TRACING, str(process.pid)], capture_output=True, text=True, check=True,
            user=NOBODY, group=grp.getgrgid(pwd.getpwnam(NOBODY).pw_gid).gr_name, extra_groups=[], cwd="/",
        )  # fmt: skip
        process.stdin.close()
    assert tried.stdout == "-1 -1 None\n"
    saw("all three refused")


@root_only
@attack(
    "a path that root names leads through a folder of the service's user",
    how="a link to root's file, a link to root's folder, a link in a link, a link in a folder that anyone may write; "
    "from a folder of root's into the service's",
)
def test_a_path_is_opened_as_root_only_if_the_service_cannot_lead_it_elsewhere(
    tmp_path: Path, saw: Callable[[str], None]
) -> None:
    account = pwd.getpwnam(NOBODY)
    service = ServiceUser(account.pw_uid, frozenset({account.pw_gid}))
    secret, mine, theirs, anyones = (tmp_path / name for name in ("secret", "root", "service", "anyone"))
    secret.write_text("a letter")
    for folder in (mine, theirs, anyones):
        folder.mkdir()
    (theirs / "photo.jpg").symlink_to(secret)
    (theirs / "photos").symlink_to(tmp_path)
    (anyones / "photo.jpg").symlink_to(secret)
    (mine / "album").symlink_to(theirs / "photos")
    (mine / "letter").symlink_to("../secret")
    os.chown(theirs, account.pw_uid, account.pw_gid)
    anyones.chmod(0o777)
    untrusted = [
        theirs / "photo.jpg", theirs / "photos" / "secret", mine / "album" / "secret", anyones / "photo.jpg",
        mine / ".." / "service" / "photo.jpg",
    ]  # fmt: skip
    for path in untrusted:
        with pytest.raises(UntrustedPathError):
            open_trusted(path, service)
    for path in (secret, mine / "letter", mine / ".." / "secret"):
        with os.fdopen(open_trusted(path, service)) as file:
            assert file.read() == "a letter"
    anyones.chmod(0o1777)
    os.chown(anyones / "photo.jpg", account.pw_uid, account.pw_gid, follow_symlinks=False)
    with pytest.raises(UntrustedPathError):
        open_trusted(anyones / "photo.jpg", service)
    saw(f"{len(untrusted) + 1} of {len(untrusted) + 1} opened with the service's rights; root's own links are followed")


@root_only
def test_nobody_becomes_root_by_giving_up_roots_rights() -> None:
    code = "from facesecure.util.privileges import become; become('root')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "root is root" in done.stderr
