"""What is shipped: nothing without a licence, no library inside a wheel that nobody knows of."""

from __future__ import annotations

import json
import re
import subprocess
from importlib.metadata import distribution
from pathlib import Path

import pytest

from supply_chain import sbom, shipped
from supply_chain.locks import ROOT, locked
from supply_chain.shipped import files, libraries_in, packages, stem_of
from supply_chain.third_party import EXTRAS, tables

SHIPPED = ("base", *EXTRAS)


def shared_libraries(package: str) -> set[str]:
    """Return the names of the shared libraries of others in the installed wheel."""
    paths = [str(path) for path in distribution(package).files or ()]
    return {stem_of(Path(path).name) for path in paths if re.search(r"\.libs/[^/]+\.so", path)}


def test_every_shipped_package_has_a_licence() -> None:
    unclear = [
        one.name for one in packages(*SHIPPED) if not one.licence or "\n" in one.licence or len(one.licence) > 60
    ]
    assert unclear == [], "name their licences in supply_chain/libraries.toml"
    changing = {one.name for one in packages(*SHIPPED) if len(one.versions) > 1}
    assert changing <= set(shipped._table()["packages"]), "the page must be the same with every Python"


def test_every_library_inside_the_wheels_is_known() -> None:
    table = shipped._table()
    seen: set[str] = set()
    for package in {one.name for one in locked(*SHIPPED)}:
        inside = shared_libraries(package)
        known = set(table["wheels"].get(package, {}).get("libraries", ()))
        assert inside <= known, f"add them to supply_chain/libraries.toml: {package} {sorted(inside - known)}"
        seen |= inside
    assert {"libx264", "libx265", "libavcodec"} <= seen, "the libraries were looked for where they are"


def test_the_libraries_with_consequences_are_named_with_their_licences() -> None:
    inside = {one.name: one.licence for one in libraries_in("av")}
    assert inside["x264"] == inside["x265"] == "GPL-2.0-or-later"
    assert inside["FFmpeg"] == "GPL-3.0-or-later"
    assert {one.name: one.licence for one in libraries_in("opencv-python-headless")}["FFmpeg"].startswith("LGPL")


def test_what_is_said_of_ffmpeg_is_so() -> None:
    """The page says that it calls itself LGPL and is linked to x264 and x265."""
    from av._core import library_meta

    codec = library_meta["libavcodec"]
    assert codec["license"] == "LGPL version 3 or later"
    assert {"--enable-libx264", "--enable-libx265", "--enable-version3"} <= set(codec["configuration"].split())
    assert "--enable-gpl" not in codec["configuration"].split()


def test_every_bundled_binary_file_is_listed_or_ours() -> None:
    listed = {one.path for one in files()}
    tracked = subprocess.run(
        ["git", "ls-files", "daemon", "plugins"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if tracked.returncode:
        pytest.skip("needs a working copy of git")
    binary = {ROOT / path for path in tracked.stdout.split() if path.endswith((".tflite", ".jpg", ".png", ".onnx"))}
    binary = {path for path in binary if not path.name.startswith("icon-")}  # drawn here, from icon.svg
    assert binary
    assert binary <= listed
    notice = (ROOT / "NOTICE").read_text()
    assert all(path.name in notice for path in listed), "NOTICE says where each comes from"


def test_the_page_marks_what_obliges_whoever_passes_it_on() -> None:
    page = tables()
    assert "x264 (**GPL-2.0-or-later**)" in page
    assert re.search(r"^\| piper-tts \| \S+ \| \*\*GPL-3.0-or-later\*\* \|$", page, re.MULTILINE)
    assert "BSD-3-Clause OR GPL-2.0-only" in page
    assert "**BSD-3-Clause OR GPL-2.0-only**" not in page
    assert "**GPL-3.0-or-later WITH GCC-exception-3.1**" not in page


def test_the_bill_of_materials_is_valid_complete_and_the_same_again(tmp_path: Path) -> None:
    from cyclonedx.schema import SchemaVersion  # here: its rules take four seconds to load, in each of the processes
    from cyclonedx.validation.json import JsonStrictValidator

    text = sbom.as_json(sbom.bill("base"))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert text == sbom.as_json(sbom.bill("base"))
    document = json.loads(text)
    found = {(one["name"], one["version"]): one for one in document["components"]}
    assert set(found) == {(one.name, one.version) for one in locked("base")}
    for one in locked("base"):
        hashes = {each["content"] for each in found[one.name, one.version]["hashes"]}
        assert hashes == set(one.hashes)
        assert found[one.name, one.version]["licenses"]
    av = next(one for (name, _), one in found.items() if name == "av")
    assert {"x264", "x265", "FFmpeg"} <= {one["name"] for one in av["components"]}
    own = document["metadata"]["component"]
    assert {one["name"] for one in own["components"]} == {one.name for one in files()}


def test_the_command_writes_the_bill_with_an_extra(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "out" / "sbom.json"
    assert sbom.main(["--out", str(path), "--extra", "heic"]) == 0
    assert "packages" in capsys.readouterr().out
    assert "pillow-heif" in {one["name"] for one in json.loads(path.read_text())["components"]}
