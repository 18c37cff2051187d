"""A house whose page is attacked: a person, a stranger's visit and settings with secrets, behind a real socket."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from facesecure.app.web_api.build import all_verbs
from facesecure.app.web_api.guard import Guard
from facesecure.app.web_api.parts import WebParts
from facesecure.app.web_api.server import WebServer
from facesecure.domain import AlignedFace, SeenFace
from facesecure.domain.accounts import Role
from facesecure.domain.mode import Mode
from facesecure.services import accounts
from facesecure.services.sign_in import Browser
from support.builders import NOON, quality
from support.page_socket import Reply, call, page_parts
from support.store import enrolled_face, picture, sighting

PASSWORD = "four words of mine"
VERBS = all_verbs()
VISIT = "0123456789abcdef0123456789abcdef"
CAMERA = "front door"
SETTINGS = """
[camera]
source = "rtsp://door:s3cretword@127.0.0.1/live"
[plugins.webhook]
enabled = false
url = "http://127.0.0.1/s3cretword"
headers = { Authorization = "Bearer s3cretword" }
"""
PICKED: Mapping[str, Any] = {
    "visit": VISIT, "identifier": VISIT, "film": VISIT, "draft": VISIT, "newest": f"2026-05-01T12:00:00+00:00 {VISIT}",
    "name": "Anna", "person": "Anna", "to": "Berta", "new": "Berta", "names": ["Anna"], "subject": "Anna",
    "camera": CAMERA, "cameras": [CAMERA], "seen": {"front-door": None}, "visitor": 1, "into": 1, "face": 1,
    "faces": [1], "picture": 1, "number": 1, "role": "owner", "mode": "away", "revision": VISIT, "mask": [],
    "zones": [], "away": [], "quiet": [], "at": 1, "old": PASSWORD, "password": PASSWORD,
    "passphrase": PASSWORD, "secret": "x" * 40,
    "origin": "https://localhost:8443", "client_data": "e30", "attestation": "oA", "credential": "eA",
    "authenticator_data": "eA", "signature": "eA",
    "code": "x" * 43, "width": 64, "height": 64, "texts": {"policy.mode": '"off"'}, "reviewed": True, "seconds": 0,
    "endpoint": "https://push.example.com/x",
    "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "auth": "BTBZMqHH6r4Tts7J_aSIgg", "consent": True, "problem": "foreign", "language": "fr",
    "where": "home", "source": "rtsp://127.0.0.1:9/nothing", "trial": VISIT,
    "doors": [VISIT],
}  # fmt: skip
"""An argument for whatever a verb may ask, by its name."""


@dataclass(frozen=True)
class AttackedHouse:
    """The page's socket at ``path``, and the parts behind it."""

    path: Path
    parts: WebParts

    def token(self, name: str, role: Role) -> str:
        """The token of a browser in which ``name`` signs in."""
        assert self.parts.sign_in is not None
        link = accounts.invite(self.parts.store, name, role)
        return self.parts.sign_in.accept(link.code, PASSWORD, Browser("192.168.1.7", "Firefox"))[0]

    def ask(self, verb: str, token: str | None = None) -> Reply:
        """The reply to ``verb``, with arguments that it takes if any are known."""
        return call(self.path, verb, arguments_of(VERBS[verb].arguments), token=token)

    def state(self) -> dict[str, Any]:
        """What nobody may change."""
        store = self.parts.store
        return {
            "mode": self.parts.policy.mode,
            "people": [(one.name, store.face_numbers(one.name)) for one in store.people()],
            "visits": [(one.identifier, one.kind, one.name) for one in store.sightings()],
            "accounts": [(one.name, one.role, one.edition) for one in store.page.accounts.all()],
        }


def arguments_of(model: type[BaseModel]) -> dict[str, Any]:
    """Arguments of ``model``: those that are needed, and those beside them that it takes."""
    chosen: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if name in PICKED and (field.is_required() or name == "seconds"):
            chosen[name] = PICKED[name]
    return chosen


@contextmanager
def attacked_house(folder: Path) -> Iterator[AttackedHouse]:
    """Anna is enrolled, a stranger has come; the house is armed, and its settings have secrets."""
    file = folder / "door.toml"
    file.write_text(SETTINGS)
    with page_parts(folder / "state", file) as parts:
        parts.store.add_person("Anna", [enrolled_face(seed) for seed in range(3)])
        face = enrolled_face(7)
        seen = SeenFace(AlignedFace(face.image, quality()), face.embedding, face.model_sha256, NOON)
        parts.store.record(replace(sighting(VISIT, snapshot=picture()), faces=(seen,)))
        with parts.load_models() as models:
            parts.store.visitors.group(VISIT, models.match_visitor)
        parts.commands.arming.arm(Mode.AWAY)
        assert parts.sign_in is not None
        guard = Guard(VERBS, parts, parts.sign_in.sessions)
        with WebServer(guard, folder / "web.sock"):
            yield AttackedHouse(folder / "web.sock", parts)
            parts.changes.close()
