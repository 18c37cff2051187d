"""Say which settings may be changed on the page, and why the others may not.

Whoever holds an owner's session must not get programs to run, files to be read or written, or faces sent elsewhere, and
must not hide what they did. So the list says what is allowed; a setting that is not on it is changed in the file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from facesecure.config.toml_lines import KeyPath

_OWN_FILE = "it is changed in the configuration file only"
_ALLOWED = {
    section: frozenset(names.split())
    for section, names in {
        "camera": "source width height fps transport timeout reconnect_max file_speed idle_decoding where detect mask "
        "zones min_face clips",
        "health": "offline frozen covered moved",
        "motion": "enabled threshold contrast linger mask",
        "detector": "kind min_face confidence interval preset",
        "quality": "min_clarity min_eye_distance min_sharpness min_brightness max_brightness min_contrast max_yaw "
        "min_confidence",
        "inference": "threads",
        "verdict": "false_accept false_stranger margin min_faces presence",
        "liveness": "mode min_face together score",
        "subjects": "enabled",
        "store": "keep_days snapshots faces max_faces_mb max_snapshot_mb",
        "clips": "enabled keep_days max_mb before after longest",
        "speech": "language voices where slow accent silence max_mb phrases",
        "policy": "mode away quiet aloud known_cooldown stranger_cooldown unidentified_cooldown camera_cooldown "
        "camera_settle service_cooldown exit_delay entry_delay entry_delay_for",
        "alerts": "fallback",
        "updates": "check",
    }.items()
}
_ALLOWED_PLUGINS: dict[str, frozenset[str]] = {
    "log": frozenset(("journal",)),
    "notify": frozenset(("title", "picture", "clip", "clip_mb")),
    "speaker": frozenset(("volume",)),
    "webhook": frozenset(("picture", "connect_seconds", "answer_seconds")),
    "google_home": frozenset(("volume",)),
}
_EVERY_PLUGIN = frozenset(("enabled", "attempt_seconds", "expires"))
_REASONS: dict[KeyPath, str] = {
    ("state_dir",): "it is where everything is stored",
    ("camera", "name"): "what was seen is stored under this name",
    ("recognizer", "kind"): "it belongs to the model, which is a file on this machine",
    ("recognizer", "model"): "it may be the path of a file on this machine",
    ("recognizer", "embedder"): "it may be the path of a file on this machine",
    ("inference", "delegate"): "it is a library that becomes part of the daemon",
    ("store", "audit_days"): "the audit log shows what was done on this page",
    ("speech", "piper_model"): "it is the path of a file on this machine",
    ("policy", "rules"): "rules are written in the configuration file; the page shows them in words",
    ("policy", "known_disarms"): "it lets a face disarm",
    ("presence",): "it lets phones and the broker arm and disarm",
    ("plugins", "log", "file"): "it is the path of a file on this machine",
    ("plugins", "speaker", "device"): "a device of ALSA may be a file or a program",
    ("plugins", "notify", "urls"): "images of visitors are sent there",
    ("plugins", "webhook", "url"): "images of visitors are sent there",
    ("plugins", "webhook", "verify"): "without it, others in the network could read what is sent",
    ("mqtt",): "visits and pictures are sent to the broker",
    ("hub",): "people and visits are shared through the hub",
    ("updates", "url"): "this machine asks whatever host is named there",
    ("web",): "who can reach this page is decided on the machine",
}
MOST_CAMERAS = 16
"""With more than these the page adds none."""
_OF_A_NEW_CAMERA = frozenset(("name", "source", "transport", "detect"))
_STREAM = re.compile(r"rtsps?://[^\s\0]+", re.IGNORECASE)
_PI_CAMERA = re.compile(r"picamera2:\d{1,2}")


def locked(path: KeyPath) -> str | None:
    """Return why the setting at ``path`` cannot be changed on the page; None if it can.

    Example::

        locked(("inference", "delegate"))  # "it is a library that becomes part of the daemon"
        locked(("cameras", 0, "fps"))  # None
    """
    path = _general(path)
    if _is_allowed(path):
        return None
    reasons = (_REASONS.get(path[:length]) for length in range(len(path), 0, -1))
    return next((reason for reason in reasons if reason is not None), _OWN_FILE)


def value_problem(path: KeyPath, value: Any) -> str | None:
    """Return why the page may not set the setting at ``path``, which it may change, to ``value``; None if it may."""
    if value is None or path[-1] not in ("source", "detect") or _general(path)[0] != "camera":
        return None
    if isinstance(value, str) and (_STREAM.fullmatch(value) or _PI_CAMERA.fullmatch(value)):
        return None
    return "must be the address of a network camera, rtsp://..., or picamera2:0; others are set in the file"


def camera_problem(path: KeyPath, camera: Any) -> tuple[KeyPath, str] | None:
    """Return what of ``camera``, which is to be added at ``path``, the page may not set, and why; None if it may."""
    if not isinstance(camera, Mapping):
        return path, "there is no such camera"
    if int(path[1]) >= MOST_CAMERAS:
        return path, f"there are {MOST_CAMERAS} cameras already; more are added in the file"
    for key, value in camera.items():
        why = None if key in _OF_A_NEW_CAMERA else _OWN_FILE
        why = why or value_problem((*path, key), value)
        if why is not None:
            return (*path, key), why
    missing = next((key for key in ("name", "source") if not camera.get(key)), None)
    return None if missing is None else ((*path, missing), "must not be empty")


def _general(path: KeyPath) -> KeyPath:
    """Return ``path`` with ``camera`` in the place of each of the cameras, and ``health`` of one as [health]."""
    if path and path[0] == "cameras":
        path = ("camera", *path[2:])
    return path[1:] if path[:2] == ("camera", "health") else path


def _is_allowed(path: KeyPath) -> bool:
    if len(path) == 3 and path[0] == "plugins":
        return path[2] in _EVERY_PLUGIN | _ALLOWED_PLUGINS.get(str(path[1]), frozenset())
    return len(path) == 2 and path[1] in _ALLOWED.get(str(path[0]), frozenset())
