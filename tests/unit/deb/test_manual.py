"""The manual page has every command, and man can set it."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from deb import manual
from deb.commands import commands


@pytest.fixture(scope="module")
def page() -> str:
    return manual.page("9.9.9")


def test_every_command_has_a_section_with_its_options(page):
    for command in commands()[1:]:
        assert f'.SS "{" ".join(command.path)}"'.replace("-", "\\-") in page
    for command in commands():
        assert all(name.replace("-", "\\-") in page for name in command.options)


def test_it_names_the_version_and_no_date(page):
    assert page.startswith('.TH FACESECURE 1 "" "facesecure 9.9.9"')
    assert page == manual.page("9.9.9")


def test_no_line_of_text_is_taken_for_a_request():
    assert manual._plain(".SH is\n text") == "\\&.SH is text"
    assert manual._plain('\'tis a "quote" of a\\b --out') == "\\&'tis a \\(dqquote\\(dq of a\\eb \\-\\-out"


def test_man_sets_it_without_a_warning(page, tmp_path):
    if shutil.which("man") is None:
        pytest.skip("man is not installed")
    (tmp_path / "facesecure.1").write_text(page)
    done = subprocess.run(
        ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", tmp_path / "facesecure.1"],
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MANROFFSEQ": "", "MANWIDTH": "100"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
