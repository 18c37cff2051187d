"""The entries of an export; what others make of one is in ``tests/attacks/test_hostile_imports.py``."""

from __future__ import annotations

import pytest

from facesecure.storage.archive_entries import MANIFEST, Entries
from support.bombs.archives import CROP, packed

GOOD = packed({MANIFEST: b"{}", CROP: b"png"})


def test_an_entry_is_read_whole():
    entries = Entries(GOOD)
    assert entries.read(MANIFEST, 2) == b"{}"
    assert entries.read(CROP, 100) == b"png"


def test_an_entry_that_is_missing_or_beyond_its_limit_is_named():
    with pytest.raises(ValueError, match=r"there is no faces/0009/0001\.png in it"):
        Entries(GOOD).read("faces/0009/0001.png", 100)
    with pytest.raises(ValueError, match="has more than 2 bytes"):
        Entries(GOOD).read(CROP, 2)


def test_an_entry_whose_bytes_were_changed_is_refused():
    with pytest.raises(ValueError, match="CRC"):
        Entries(GOOD.replace(b"0001.pngpng", b"0001.pnggnp")).read(CROP, 100)


@pytest.mark.parametrize("cut", [0, 21, 22, 60])
def test_what_is_cut_off_is_no_zip(cut):
    with pytest.raises(ValueError, match=r"."):
        Entries(GOOD[:cut]).read(MANIFEST, 100)
