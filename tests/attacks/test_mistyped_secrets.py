"""A configuration with a mistake beside a secret, or with a secret in a wrong place: no complaint shows the secret."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from support.faults.table import attack
from support.service.commandline import CommandLine, own_settings

MISTYPED = (
    '[camera]\nsource = rtsp://admin:{}@cam/door\n',
    '[camera]\nsource = "rtsp://admin:{}@cam/door\n',
    '[camera]\nsource = "rtsp:/admin:{}@cam/door"\n',
    '[camera]\nsource = "rtps://admin:{}@cam/door"\n',
    '[camera]\nsouce = "rtsp://admin:{}@cam/door"\n',
    '[camera]\nfps = "rtsp://admin:{}@cam/door"\n',
    '[camera]\n"rtsp://admin:{}@cam/door" = true\n',
    'camera = "rtsp://admin:{}@cam/door"\n',
    '[plugins.webhook]\nurl = "https://hook/x"\nsecret = {}\n',
    '[plugins.webhook]\nurl = "https://hook/x"\nsecret "{}"\n',
    '[plugins.webhook]\nurl = "https://hook/x"\nsecret = "a"{}\n',
    '[plugins.webhook]\nurl = "https://hook/x"\nsecrt = "{}"\n',
    '[plugins.webhook]\nurl = "https://hook/x"\nsecret = ["{}"]\n',
    '[plugins.webhook]\nurl = "https://hook/x"\nheaders = ["Authorization: Bearer {}"]\n',
    '[plugins.notify]\n"tgram://{}/1" = true\n',
    '[plugins."tgram://{}/1"]\nenabled = true\n',
    '[plugins]\nnotify = "tgram://{}/1"\n',
)  # fmt: skip


@attack(
    "secrets beside mistakes of typing",
    how="passwords and tokens without quotes, under misspelt settings, as lists, as names of settings and plugins, in "
    "addresses with a misspelt scheme",
)
def test_no_complaint_about_a_configuration_shows_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], saw: Callable[[str], None]
) -> None:
    command = CommandLine(own_settings(tmp_path, monkeypatch), capfd)
    for number, mistyped in enumerate(MISTYPED):
        path, secret = tmp_path / "door.toml", f"hunter{number}xyz"
        path.write_text(mistyped.format(secret))
        done = command("config", "check", path)
        assert done.code != 0, mistyped
        assert secret not in done.out + done.err, mistyped
    saw(f"{len(MISTYPED)} of {len(MISTYPED)} refused, with the place and without the secret")
