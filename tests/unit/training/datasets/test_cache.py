"""Decoded pictures on disk."""

import os

import numpy as np

from facesecure_training.datasets import cache
from facesecure_training.datasets.cache import ImageCache, state_of
from support.training.datasets import colour_picture

IMAGE = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)


def test_what_was_put_is_got_and_nothing_else(tmp_path):
    shelf = ImageCache(tmp_path / "shelf")
    assert shelf.put(b"abcdef", IMAGE) is IMAGE
    assert ImageCache(tmp_path / "shelf").get(b"abcdef") == IMAGE.tobytes()
    assert shelf.get(b"fedcba") == b""


def test_a_record_that_was_damaged_or_cut_short_is_not_taken(tmp_path):
    shelf = ImageCache(tmp_path)
    shelf.put(b"abcdef", IMAGE)
    record = tmp_path / "ab" / "abcdef"
    whole = record.read_bytes()
    for broken in (b"", whole[:-1], whole[:30], b"\0" * len(whole), b"?" + whole[1:]):
        record.write_bytes(broken)
        assert shelf.get(b"abcdef") == b""


def test_a_picture_that_changed_has_another_name(tmp_path):
    picture = colour_picture(tmp_path / "a.png", 1)
    before = state_of(picture)
    assert state_of(picture) == before
    os.utime(picture, (1, 1))
    assert state_of(picture) != before


def test_pixels_that_an_older_version_decoded_otherwise_are_not_taken(tmp_path, monkeypatch):
    picture = colour_picture(tmp_path / "a.png", 1)
    now = state_of(picture)
    monkeypatch.setattr(cache, "_DECODING", 1)
    assert state_of(picture) != now
