"""The container, the add-on of Home Assistant and the layer for rpi-image-gen are well-formed and fit this version.

Neither Home Assistant's Supervisor nor rpi-image-gen is run here.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from deb.version import ROOT, program_version

DEPLOY = ROOT / "deploy"
CONTAINERFILE = DEPLOY / "container/Containerfile"
ADDON = DEPLOY / "home-assistant/config.yaml"
LAYER = DEPLOY / "rpi-image-gen/layer/facesecure.yaml"
IMAGE = DEPLOY / "rpi-image-gen/config/facesecure-pi5.yaml"
KEY_UNIT = DEPLOY / "rpi-image-gen/files/facesecure-key.service"
SCRIPTS = sorted((DEPLOY / "container").glob("*.sh"))
HOOKS = ("setup-hooks", "extract-hooks", "essential-hooks", "customize-hooks", "cleanup-hooks")

SWITCHES = (
    "init advanced ingress host_network host_pid host_ipc host_dbus host_uts udev tmpfs audio video gpio usb uart "
    "devicetree kernel_modules realtime full_access apparmor hassio_api homeassistant_api auth_api docker_api stdin "
    "journald"
)
MAPS = [
    "data",
    "ssl",
    "addons",
    "backup",
    "share",
    "media",
    "homeassistant_config",
    "all_addon_configs",
    "addon_config",
]
SUPERVISOR: dict[str, Any] = {
    "type": "object",
    "required": ["name", "version", "slug", "description", "arch"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "version": {"type": "string"},
        "slug": {"type": "string", "pattern": "^[-_.A-Za-z0-9]+$"},
        "description": {"type": "string", "minLength": 1},
        "url": {"type": "string", "format": "uri"},
        "arch": {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"enum": ["aarch64", "amd64"]}},
        "stage": {"enum": ["stable", "experimental", "deprecated"]},
        "startup": {"enum": ["initialize", "system", "services", "application", "once"]},
        "boot": {"enum": ["auto", "manual", "manual_only"]},
        "map": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["type"],
                "additionalProperties": False,
                "properties": {
                    "type": {"enum": MAPS},
                    "read_only": {"type": "boolean"},
                    "path": {"type": "string", "pattern": "^/[^.]+$"},
                },
            },
        },
        "webui": {"type": "string", "pattern": r"^(?:https?|\[PROTO:\w+\])://\[HOST\]:\[PORT:\d+\].*$"},
        "watchdog": {"type": "string", "pattern": r"^(?:https?|\[PROTO:\w+\]|tcp)://\[HOST\]:(\[PORT:\d+\]|\d+).*$"},
        "backup": {"enum": ["hot", "cold"]},
        "timeout": {"type": "integer", "minimum": 10, "maximum": 300},
        "options": {"type": "object"},
        "schema": {"type": "object"},
        **{name: {"type": "boolean"} for name in SWITCHES.split()},
    },
}
"""What the Supervisor takes, as far as an add-on of ours may want it."""


class _Strict(yaml.SafeLoader):
    """Refuses a key that is given twice, of which YAML keeps the last in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        assert len(keys) == len(set(keys)), f"given twice: {keys} {node.start_mark}"
        return super().construct_mapping(node, deep)


def read(path: Path) -> Any:
    return yaml.load(path.read_text(), _Strict)


def tool(name: str) -> str:
    """The path of a linter. A test is skipped without it, and fails in CI."""
    if found := shutil.which(name, path=f"{Path(sys.executable).parent}:{os.environ['PATH']}"):
        return found
    why = f"{name} is missing: make setup installs it"
    return pytest.fail(why) if os.environ.get("CI") == "true" else pytest.skip(why)


def complaints(*command: str | Path, text: str | None = None) -> str:
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=120, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def metadata(path: Path) -> dict[str, str]:
    """The fields between METABEGIN and METAEND of a layer; a line with two spaces goes on."""
    block = path.read_text().partition("# METABEGIN\n")[2].partition("# METAEND\n")[0]
    lines = re.sub(r"\n#  ", " ", block).splitlines()
    return dict(re.fullmatch(r"# ([A-Za-z-]+): (.+)", line).groups() for line in lines)  # type: ignore[union-attr]


def hooks() -> Iterator[str]:
    layer = read(LAYER)["mmdebstrap"]
    for name in HOOKS:
        yield from layer.get(name, [])


def test_the_container_file_passes_hadolint() -> None:
    assert complaints(tool("hadolint"), CONTAINERFILE) == ""


def test_neither_the_container_nor_the_image_brings_a_key() -> None:
    build = CONTAINERFILE.read_text().replace("\\\n", "")
    (run,) = [line for line in build.splitlines() if line.startswith("RUN ")]
    assert run.index("facesecure_*.deb") < run.index("rm -rf /etc/facesecure/key"), "removed in the layer that makes it"
    installs, removes, *_ = hooks()
    assert "apt-get install" in installs
    assert 'rm -f "$1/etc/facesecure/key"' in removes
    assert "ConditionPathExists=!/etc/facesecure/key" in KEY_UNIT.read_text()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_pass_shellcheck(script: Path) -> None:
    assert os.access(script, os.X_OK)
    assert complaints(tool("shellcheck"), script) == ""


def test_hooks_of_the_layer_pass_shellcheck() -> None:
    for hook in hooks():
        assert complaints(tool("shellcheck"), "--shell=sh", "-", text=f"#!/bin/sh\n{hook}\n") == ""


def test_the_add_on_is_one_that_the_supervisor_takes() -> None:
    from jsonschema import validate  # takes a second, in each process that collects the tests

    validate(read(ADDON), SUPERVISOR)
    assert read(ADDON)["version"] == program_version()
    assert {one["path"] for one in read(ADDON)["map"]} == {"/var/lib/facesecure", "/etc/facesecure"}


def test_the_add_on_asks_for_no_right_that_it_does_not_need() -> None:
    wanted = {name for name in SWITCHES.split() if read(ADDON).get(name)}
    assert wanted == {"host_network", "video"}
    assert "privileged" not in read(ADDON)


def test_the_layer_has_its_fields_and_nothing_that_bdebstrap_does_not_know() -> None:
    fields = metadata(LAYER)
    assert fields["X-Env-Layer-Name"] == LAYER.stem == read(IMAGE)["layer"]["app"]
    assert fields["X-Env-Layer-Version"] == program_version()
    assert {"X-Env-Layer-Category", "X-Env-Layer-Desc", "X-Env-Layer-Requires"} <= fields.keys()
    layer = read(LAYER)
    assert set(layer) == {"mmdebstrap"}
    assert set(layer["mmdebstrap"]) <= {"architectures", "packages", *HOOKS}
    assert layer["mmdebstrap"]["architectures"] == ["arm64"]


def test_files_that_the_layer_installs_are_there() -> None:
    named = re.findall(r"install -m \d+ (files/\S+)", "\n".join(hooks()))
    assert named == [str(KEY_UNIT.relative_to(LAYER.parents[1]))]
    assert all((LAYER.parents[1] / one).is_file() for one in named)


def test_the_unit_that_makes_the_key_is_understood_by_systemd(tmp_path: Path) -> None:
    unit = tmp_path / KEY_UNIT.name
    unit.write_text(KEY_UNIT.read_text().replace("/usr/lib/facesecure/bin/python", sys.executable))
    done = subprocess.run(
        [tool("systemd-analyze"), "verify", "--man=no", "--recursive-errors=no", unit],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_a_folder_to_build_from_is_collected(tmp_path: Path) -> None:
    package = tmp_path / f"facesecure_{program_version()}~deb13_arm64.deb"
    package.write_bytes(b"a package")
    done = subprocess.run(
        [DEPLOY / "container/collect.sh", "arm64"],
        env={**os.environ, "FACESECURE_DEB": str(package), "FACESECURE_OUT": str(tmp_path / "out")},
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert "podman build" in done.stdout
    found = {path.name for path in (tmp_path / "out").iterdir()}
    assert found == {package.name, "Containerfile", "Dockerfile", "start.sh", "config.yaml", "DOCS.md", "CHANGELOG.md"}
