"""Find the secrets in the tables of a configuration file, before they are validated, so that no complaint shows one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from facesecure.util.redaction import learn, learn_address
from facesecure.util.secret_patterns import is_secret_name

_NO_SECRET = re.compile(r"(?:_file|_path|_dir|_seconds)$")
_LOCAL = ("file:", "dir:", "v4l2:", "picamera2:", "/", ".", "~")


def learn_secrets(table: Mapping[str, Any]) -> None:
    """Hide every secret of ``table`` from now on.

    Secrets are the values of settings called password, token, secret and the like, those of headers, and what the
    addresses of cameras and services hold. Sections may be misspelt.

    Example::

        learn_secrets({"camera": {"source": "rtsp://admin:hunter2@cam/door"}})
    """
    for name, value in table.items():
        _learn(str(name), value, secret=False)


def _learn(name: str, value: Any, *, secret: bool) -> None:
    if "://" in name:  # an address in the place of a setting's name
        learn_address(name)
    secret = secret or (is_secret_name(name) and not _NO_SECRET.search(name))
    if isinstance(value, Mapping):
        within = secret or "header" in name.lower()
        for key, inner in value.items():
            _learn(str(key), inner, secret=within)
    elif isinstance(value, list | tuple):
        for inner in value:
            _learn(name, inner, secret=secret)
    elif isinstance(value, str):
        _learn_text(name, value, secret)
    elif secret and isinstance(value, int) and not isinstance(value, bool):
        learn(str(value))


def _learn_text(name: str, text: str, secret: bool) -> None:
    if "://" in text or ("@" in text and _is_source(name, text)):
        learn_address(text)
    elif secret:
        learn(text, *text.split(" ", 1)[1:])  # "Bearer TOKEN"
        learn(text.removeprefix("whsec_"))


def _is_source(name: str, text: str) -> bool:
    return name in ("source", "detect", "url", "urls") and not text.startswith(_LOCAL)
