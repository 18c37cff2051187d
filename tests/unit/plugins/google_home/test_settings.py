"""[plugins.google_home]: valid and invalid settings."""

import subprocess
import sys

import pytest
from pydantic import ValidationError

from facesecure_plugins.google_home import GoogleHomePlugin
from facesecure_plugins.google_home.settings import ports

Config = GoogleHomePlugin.Config


@pytest.mark.parametrize("volume", [0, 0.0, 0.25, 1, "keep"])
def test_a_volume_is_from_0_to_1_or_kept(volume):
    assert Config(volume=volume).volume == volume


@pytest.mark.parametrize(
    "wrong",
    [
        {"volume": 60},
        {"volume": -1},
        {"volume": "loud"},
        {"confirm": "most"},
        {"serve_address": "kitchen.lan"},
        {"devices": ["uuid:xyz"]},
        {"devices": [""]},
        {"serve_ports": "high"},
        {"serve_ports": "9000-8000"},
    ],
)
def test_nonsense_is_refused(wrong):
    with pytest.raises(ValidationError):
        Config(**wrong)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("0", range(1)),
        ("8200", range(8200, 8201)),
        ("8200-8210", range(8200, 8211)),
        ("1-99999", range(0)),
        ("", range(0)),
    ],
)
def test_ports_are_one_or_a_range(text, meant):
    assert ports(text) == meant


def test_a_door_announcement_is_worth_nothing_after_a_minute():
    assert (Config().expires, Config().attempt_seconds) == (60, 8)


def test_who_does_not_use_the_plugin_does_not_load_pychromecast():
    code = "import sys, facesecure_plugins.google_home.plugin as p; p.GoogleHomePlugin(p.GoogleHomePlugin.Config());"
    code += "print({'pychromecast', 'zeroconf', 'asyncio', 'ssl'} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert told.stdout.strip() == "set()", told.stderr
