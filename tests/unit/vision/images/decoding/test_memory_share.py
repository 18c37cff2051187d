"""How much memory a decoder may take, by the machine and by the limits of systemd."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from facesecure.vision.images.decoding.memory_share import half_of_memory

MACHINE = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize(
    ("slice_limit", "unit_limit", "expected"),
    [
        ("max", "max", MACHINE // 2),
        ("max", "1000000", 500_000),
        ("400000", "1000000", 200_000),
        ("max", "nonsense", MACHINE // 2),
        ("max", None, MACHINE // 2),
    ],
)
def test_the_lowest_limit_of_the_service_and_its_slice_counts(
    tmp_path: Path, slice_limit: str, unit_limit: str | None, expected: int
) -> None:
    own, unit = tmp_path / "own", tmp_path / "groups" / "system.slice" / "facesecure.service"
    own.write_text("1:name=systemd:/\n0::/system.slice/facesecure.service\n")
    unit.mkdir(parents=True)
    (unit.parent / "memory.max").write_text(f"{slice_limit}\n")
    if unit_limit is not None:
        (unit / "memory.max").write_text(f"{unit_limit}\n")
    assert half_of_memory(own, tmp_path / "groups") == expected


@pytest.mark.parametrize("own", ["", "0::/", "0::/../..\n", None])
def test_without_control_groups_the_machine_counts(tmp_path: Path, own: str | None) -> None:
    if own is not None:
        (tmp_path / "own").write_text(own)
    assert half_of_memory(tmp_path / "own", tmp_path) == MACHINE // 2
