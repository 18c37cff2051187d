"""The package's changelog, copyright file and the lists of what its wheels installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from deb import changelog, copyright, records


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site-packages with one package, whose program and tests were left out."""
    (tmp_path / "door").mkdir()
    (tmp_path / "door" / "__init__.py").touch()
    info = tmp_path / "door_bell-2.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: door-bell\nVersion: 2.0\nAuthor: Grace\n  Hopper\n")
    (info / "RECORD").write_text(
        "../../bin/door,sha256=a,1\ndoor/__init__.py,sha256=b,2\ndoor/tests/x.py,sha256=c,3\n/home/x,,\n"
    )
    return tmp_path


CHANGES = """# Changelog

## [Unreleased]

### Added
- Not yet.

## [0.2.0] - 2026-11-29

### The page
- A page for phones,
  and for browsers.
- Another thing.

### Fixed
- A thing that was long enough to be broken over several lines of the changelog of Debian.

## [0.1.0] - 2026-11-22

The first version.

### Added
- All of it.
"""


def test_the_changelog_of_the_package_is_made_of_the_releases():
    assert changelog.document(CHANGES, "0.2.0~deb12", 1700000000).splitlines() == [
        "facesecure (0.2.0~deb12) stable; urgency=medium",
        "",
        "  [ The page ]",
        "  * A page for phones, and for browsers.",
        "  * Another thing.",
        "",
        "  [ Fixed ]",
        "  * A thing that was long enough to be broken over several lines of the",
        "    changelog of Debian.",
        "",
        " -- The facesecure authors <facesecure@localhost>  Sun, 29 Nov 2026 12:00:00 +0000",
        "",
        "facesecure (0.1.0~deb12) stable; urgency=medium",
        "",
        "  [ Added ]",
        "  * All of it.",
        "",
        " -- The facesecure authors <facesecure@localhost>  Sun, 22 Nov 2026 12:00:00 +0000",
    ]


def test_a_version_that_is_not_released_yet_is_dated_by_the_commit():
    lines = changelog.document(CHANGES, "0.3.0~deb13", 1700000000).splitlines()
    assert lines[:5] == [
        "facesecure (0.3.0~deb13) stable; urgency=medium",
        "",
        "  * What is new stands in CHANGELOG.md of the source.",
        "",
        " -- The facesecure authors <facesecure@localhost>  Tue, 14 Nov 2023 22:13:20 +0000",
    ]
    assert "facesecure (0.2.0~deb13) stable; urgency=medium" in lines


def test_every_package_has_its_paragraph_with_author_and_licence(site):
    text = copyright.document(site)
    assert "\nFiles: usr/lib/facesecure/lib/*/site-packages/door_bell*\nCopyright: Grace Hopper\nLicense: " in text
    assert "under the GPL" in text, "whoever passes the package on is told of x264"


def test_records_list_what_is_there_and_no_path_of_the_builder(site):
    records.tidy(site)
    assert (site / "door_bell-2.0.dist-info/RECORD").read_text() == "door/__init__.py,sha256=b,2\n"
