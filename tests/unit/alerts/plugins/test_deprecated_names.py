"""Plugins written for facesecure 0.1 still import, with warnings that name the new modules."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from facesecure import domain
from facesecure.alerts.plugins import api
from facesecure.domain import errors, faces, types


def test_the_old_module_has_the_names_it_had_and_says_where_they_are():
    sys.modules.pop("facesecure.alerts.plugin", None)
    with pytest.warns(DeprecationWarning, match=r"facesecure\.alerts\.plugins\.api"):
        old = import_module("facesecure.alerts.plugin")
    assert old.PluginConfig is api.PluginConfig
    assert old.PluginContext is api.PluginContext
    assert old.Speech is api.Speech
    assert (old.OneAtATime, old.Attaches, old.Checks, old.Closes) == (
        api.SerializedPlugin,
        api.HasAttach,
        api.HasCheck,
        api.HasClose,
    )
    assert old.ENTRY_POINT_GROUP == "facesecure.plugins"


def test_errors_are_found_under_their_old_module():
    old = import_module("facesecure.errors")
    with pytest.warns(DeprecationWarning, match=r"facesecure\.domain\.errors"):
        assert old.PluginError is errors.PluginError
    assert not hasattr(old, "NoSuchError")


@pytest.mark.parametrize(
    ("name", "now"), [("Picture", types.FrameImage), ("LANDMARK_NAMES", faces.LANDMARK_NAMES)], ids=["Picture", "names"]
)
def test_renamed_values_of_the_domain_are_found_under_their_old_names(name, now):
    with pytest.warns(DeprecationWarning, match=f"{name} is deprecated"):
        assert getattr(domain, name) is now


PLUGIN_OF_0_1 = """
from facesecure.alerts.plugin import Closes, PluginConfig
from facesecure.domain import Alert, Picture
from facesecure.errors import PluginError
"""


def test_the_warnings_point_at_the_plugin(tmp_path):
    plugin = tmp_path / "old_plugin.py"
    plugin.write_text(PLUGIN_OF_0_1)
    command = [sys.executable, "-W", "always::DeprecationWarning", "-c", "import old_plugin"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    lines = {line.split(":")[1] for line in done.stderr.splitlines() if line.startswith(f"{plugin}:")}
    assert lines == {"2", "3", "4"}, done.stderr
