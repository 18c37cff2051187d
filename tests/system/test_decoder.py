"""The decoder of photos within the sandbox of the installed service: a photo is read, and a bomb is not."""

from __future__ import annotations

import json
from typing import Any

from support.bombs.pictures import encoded, png
from support.service.installed import UNIT, Service
from support.service.page import UNIT as PAGE_UNIT
from support.service.page import InstalledPage

PROGRAM = "/srv/decode.py"
OUTCOME = "/var/lib/facesecure/decoded.json"
DECODING = f"""[Service]
Type=oneshot
WatchdogSec=0
Restart=no
ExecStart=
ExecStart=/opt/facesecure/bin/python {PROGRAM} {OUTCOME}
"""
DECODE = """
import json, sys
from pathlib import Path
from facesecure.domain.errors import ImageError
from facesecure.vision.images.decoding.process import decoder
from facesecure.vision.images.photos import read_photo
seen = {}
for name in ("photo.png", "photo.jpg", "bomb.png", "photo.webp"):
    try:
        seen[name] = list(read_photo(Path("/srv") / name).shape)
    except ImageError as error:
        seen[name] = error.message
seen["protections"] = decoder("opencv").protections
Path(sys.argv[1]).write_text(json.dumps(seen))
"""

PAGE_OUTCOME = "/run/page-decoded.json"
PAGE_DECODING = f"""[Unit]
Requires=
[Service]
Type=oneshot
ExecStart=
ExecStart=/opt/facesecure/bin/python -I {PROGRAM}
StandardOutput=truncate:{PAGE_OUTCOME}
"""
PAGE_DECODE = """
import asyncio, json, sys
from facesecure.vision.images.decoding.process import decoder
from facesecure.web.pictures import DecodingError, decode
seen = {}
for name in ("photo.png", "photo.jpg", "bomb.png", "photo.webp"):
    try:
        with open(f"/srv/{name}", "rb") as file:
            picture = asyncio.run(decode(file))
        seen[name] = [picture.height, picture.width, len(picture.pixels)]
    except DecodingError as error:
        seen[name] = error.problem
seen["protections"] = decoder("opencv").protections
print(json.dumps(seen))
"""


def put(system: Any, program: str) -> None:
    """Put the program and the pictures there."""
    system.write(PROGRAM, program)
    for kind in ("png", "jpg", "webp"):
        system.write(f"/srv/photo.{kind}", encoded({"jpg": "jpeg"}.get(kind, kind)))
    system.write("/srv/bomb.png", png(7000, 7000, depth=16, colour=6))


def test_a_photo_is_read_and_a_bomb_refused_where_the_service_runs(installed: Any) -> None:
    system, service = installed, Service(installed, "")
    service.reset()
    put(system, DECODE)
    service.configure("", DECODING)
    system.run("systemctl", "start", UNIT)
    seen = json.loads(system.read(OUTCOME))
    service.reset()
    for kind in ("png", "jpg", "webp"):
        assert seen[f"photo.{kind}"] == [120, 160, 3], kind
    assert "too many for a PNG" in seen["bomb.png"]
    assert set(seen["protections"]) == {"offline", "without_files"}


def test_an_uploaded_photo_is_read_where_the_page_runs(installed: Any) -> None:
    system, service = installed, Service(installed, "")
    service.reset()
    put(system, PAGE_DECODE)
    page = InstalledPage(service)
    page.open(PAGE_DECODING)
    system.run("systemctl", "start", PAGE_UNIT)
    seen = json.loads(system.read(PAGE_OUTCOME))
    page.close()
    for kind in ("png", "jpg", "webp"):
        assert seen[f"photo.{kind}"] == [120, 160, 120 * 160 * 3], kind
    assert seen["bomb.png"] == "too large"
    assert set(seen["protections"]) == {"offline", "without_files"}
