"""Every place that says which version this is says the same."""

from __future__ import annotations

import re
from itertools import pairwise

from deb.changelog import FILE, document, releases
from deb.version import program_version
from facesecure import __version__
from facesecure.util.versions import parse_version


def test_the_installed_facesecure_is_of_this_tree():
    assert __version__ == program_version(), "install it again: touch pyproject.toml; make .venv/.base"


def test_the_newest_release_of_the_changelog_is_this_version():
    assert releases(FILE.read_text())[0].version == program_version()


def test_releases_of_the_changelog_go_back_in_time():
    for newer, older in pairwise(releases(FILE.read_text())):
        assert parse_version(newer.version) > parse_version(older.version)
        assert newer.day >= older.day


def test_every_line_of_a_release_reaches_the_package():
    text = FILE.read_text()
    items = [item for one in releases(text) for _, group in one.groups for item in group]
    assert len(items) == len(re.findall(r"^- ", text.partition("\n## [0")[2], re.MULTILINE))
    made = document(text, f"{program_version()}~deb12", 0)
    assert made.startswith(f"facesecure ({program_version()}~deb12) ")
    assert all(len(line) <= 80 for line in made.splitlines() if not line.startswith(" --"))
