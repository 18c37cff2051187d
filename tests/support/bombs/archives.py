"""Exports as nobody writes them: each is a zip, or claims to be one."""

from __future__ import annotations

import io
import json
import stat
import struct
import tarfile
import warnings
import zipfile
from collections.abc import Callable
from typing import Any

CROP = "faces/0001/0001.png"
_4_GB = 2**32 - 2
_DIRECTORY = struct.Struct("<4s6H3L5H2L")


def entries_of(archive: bytes) -> dict[str, bytes]:
    """Return the entries of a harmless export."""
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        return {name: file.read(name) for name in file.namelist()}


def packed(entries: dict[str, bytes], *more: tuple[str | zipfile.ZipInfo, bytes], method: int = 0) -> bytes:
    """Return a zip of ``entries`` and ``more``, which may have the same names."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, data in (*entries.items(), *more):
            archive.writestr(name, data)
    return target.getvalue()


def hostile_zips(good: bytes) -> dict[str, bytes]:
    """Return zips that hurt whoever believes them."""
    entries = entries_of(good)
    link = zipfile.ZipInfo(CROP)
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    others = {name: data for name, data in entries.items() if name != CROP}
    names = ("../../etc/passwd", "/etc/cron.d/x", "faces/0001/../../key", "faces\\0001\\0001.png", "C:/x",
             "faces/\x1b[2J", "x" * 60_000, "faces/", "manifest.json ")  # fmt: skip
    return {
        "a crop that unpacks to 300 MB": packed({**others, CROP: bytes(300_000_000)}, method=zipfile.ZIP_DEFLATED),
        "a manifest that unpacks to 300 MB": packed({"manifest.json": b" " * 300_000_000}, method=zipfile.ZIP_BZIP2),
        "compressed": packed(entries, method=zipfile.ZIP_DEFLATED),
        **{f"an entry {name[:20]!r}": packed(entries, (name, b"x")) for name in names},
        "an entry with a nul": packed(entries, ("faces/0001/0002.pngXY", b"x")).replace(b"0002.pngXY", b"0002.png\0Y"),
        "a link": packed(others, (link, b"/etc/passwd")),
        "an entry twice": packed(entries, (CROP, entries[CROP])),
        "a locked entry": _each_directory_entry(good, lambda found: (*found[:3], found[3] | 1, *found[4:])),
        "a size of 4 GB": _each_directory_entry(good, lambda found: (*found[:8], _4_GB, _4_GB, *found[10:])),
        "overlapping entries": _overlapping(entries),
        "a million entries": _many(1_000_000, 65_535),
        "a million entries, counted as one": _many(1_000_000, 1),
        "a million entries in zip64": _many(1_000_000, 65_535, zip64=True),
        "a comment": good[:-2] + struct.pack("<H", 60_000) + bytes(60_000),
        "its first half": good[: len(good) // 2],
        "its end only": good[-22:],
        "a tar": _tar(entries, ""),
        "a tar.gz": _tar(entries, "gz"),
        "nothing": b"",
    }


def hostile_manifests(good: bytes) -> dict[str, bytes]:
    """Return zips whose manifest hurts whoever believes it."""
    entries = entries_of(good)
    manifest = json.loads(entries["manifest.json"])
    person = manifest["people"][0]
    face = person["faces"][0]

    def with_people(*people: dict[str, Any]) -> bytes:
        return packed({**entries, "manifest.json": json.dumps({**manifest, "people": people}).encode()})

    def with_text(text: bytes) -> bytes:
        return packed({**entries, "manifest.json": text})

    def named(name: str) -> bytes:
        return with_people({**person, "name": name})

    def with_face(**changes: Any) -> bytes:
        return with_people({**person, "faces": [{**face, **changes}]})

    head = b'{"format": "facesecure-people", "version": 1, "written_at": "2026-01-01T00:00:00Z", "people": '
    return {
        "nested a million deep": with_text(b"[" * 1_000_000),
        "8 million lists": with_text(head + b"[" + b"[]," * 8_000_000 + b"[]]}"),
        "8 million people that are none": with_text(head + b"[" + b"null," * 8_000_000 + b"null]}"),
        "3 million keys": with_text(b"{" + b",".join(b'"%d":0' % key for key in range(3_000_000)) + b"}"),
        "20 million numbers": with_text(head + b"[" + b"1," * 20_000_000 + b"1]}"),
        "5,001 faces": with_people({**person, "faces": [face] * 5_001}),
        "5,001 faces of two": with_people(
            {**person, "faces": [face] * 2_500}, {**person, "name": "Eve", "faces": [face] * 2_501}
        ),
        "1,001 people": with_people(*({**person, "name": f"p{number}"} for number in range(1_001))),
        "a person twice": with_people(person, {**person, "name": person["name"].upper()}),
        "two names that look the same": with_people({**person, "name": "Anna"}, {**person, "name": "An\u200dna"}),
        "not a number": with_text(entries["manifest.json"].replace(b'"sharpness":', b'"sharpness":NaN,"x":')),
        "an endless sharpness": with_face(quality={**face["quality"], "sharpness": float("inf")}),
        "a crop outside": with_face(crop="../../../etc/passwd"),
        "the manifest as a crop": with_face(crop="manifest.json"),
        "no encoding": with_text(b"\xff\xfe\xfa"),
        **{f"the name {name[:12]!r}": named(name) for name in HOSTILE_NAMES},
    }


HOSTILE_NAMES = ("../../key", "/etc/passwd", "..", "a\nb", "\x1b[2J", "Anna\x00", "an\u202ena", "Anna\u200b", "x" * 65,
                 "x" * 1_000_000, "", " ", "\ud800")  # fmt: skip


def _tar(entries: dict[str, bytes], method: str) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode=f"w:{method}") as archive:
        for name, data in entries.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return target.getvalue()


def _each_directory_entry(archive: bytes, change: Callable[[tuple[Any, ...]], tuple[Any, ...]]) -> bytes:
    """Return ``archive`` with each entry of its directory changed."""
    data = bytearray(archive)
    at = data.find(b"PK\x01\x02")
    while at >= 0:
        data[at : at + _DIRECTORY.size] = _DIRECTORY.pack(*change(_DIRECTORY.unpack_from(data, at)))
        at = data.find(b"PK\x01\x02", at + _DIRECTORY.size)
    return bytes(data)


def _overlapping(entries: dict[str, bytes]) -> bytes:
    """Return a zip in which 2,000 entries share the bytes of one of 60 kB: 120 MB in all."""
    body = bytes(60_000)
    names = [b"faces/0001/%04d.png" % number for number in range(1, 2_001)]
    return _zip(body, names, len(names))


def _many(entries: int, counted: int, *, zip64: bool = False) -> bytes:
    return _zip(b"", [b"faces/0001/0001.png"] * entries, counted, zip64=zip64)


def _zip(body: bytes, names: list[bytes], counted: int, *, zip64: bool = False) -> bytes:
    """Return a zip whose entries all are the same ``body``."""
    size = len(body)
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 0, 0, 33, 0, size, size, len(names[0]), 0) + names[0] + body
    directory = b"".join(
        _DIRECTORY.pack(b"PK\x01\x02", 20, 20, 0, 0, 0, 33, 0, size, size, len(name), 0, 0, 0, 0, 0, 0) + name
        for name in names
    )
    extra = b""
    if zip64:
        end = (len(names), len(names), len(directory), len(local))
        extra = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 20, 20, 0, 0, *end)
        extra += struct.pack("<4sLQL", b"PK\x06\x07", 0, len(local) + len(directory), 1)
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, counted, counted, len(directory), len(local), 0)
    return local + directory + extra + tail
