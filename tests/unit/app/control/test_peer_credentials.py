"""Who may ask where the kernel does not tell the daemon of every group, as with PrivateUsers=."""

from __future__ import annotations

import grp

import pytest

from facesecure.app.control import peer_credentials
from facesecure.app.control.peer_credentials import Peer, is_mapped

PAGE = 977
STRANGER, UNSEEN = 12_345, 65_534


@pytest.fixture
def page_group(monkeypatch):
    monkeypatch.setattr(grp, "getgrnam", lambda name: grp.struct_group((name, "x", PAGE, [])))


@pytest.mark.parametrize(
    ("mapping", "group", "seen"),
    [
        ("         0          0 4294967295\n", PAGE, True),
        ("         0          0          1\n       999        999          1\n", PAGE, False),
        ("         0          0          1\n       977        977          1\n", PAGE, True),
    ],
)
def test_which_groups_a_process_sees(tmp_path, mapping, group, seen):
    (tmp_path / "gid_map").write_text(mapping)
    assert is_mapped(group, tmp_path / "gid_map") is seen


def test_where_groups_are_not_said_there_is_no_reason_for_doubt(tmp_path):
    assert is_mapped(PAGE, tmp_path / "missing")


@pytest.mark.parametrize(
    ("seen", "groups", "admitted"),
    [
        (True, {PAGE}, True),
        (True, {STRANGER}, False),
        (True, {UNSEEN}, False),  # the group nogroup, whose number that is
        (False, {UNSEEN}, True),  # the folder let it in
        (False, {STRANGER}, False),
    ],
)
def test_a_group_that_is_not_seen_is_judged_by_the_socket_s_folder(page_group, monkeypatch, seen, groups, admitted):
    monkeypatch.setattr(peer_credentials, "is_mapped", lambda group: seen)
    assert (Peer(1, UNSEEN, frozenset(groups)).refused("facesecure-web") == "") is admitted
