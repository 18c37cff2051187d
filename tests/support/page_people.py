"""Verbs about people, asked of a guard on a real store and the bundled models, and portraits to ask with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from facesecure.app.web_api.build import all_verbs
from facesecure.app.web_api.guard import Guard
from facesecure.app.web_api.parts import WebParts
from facesecure.app.web_api.request import Request
from facesecure.app.web_api.verb import Answer
from facesecure.camera.synthetic.clip import enrolment_images
from facesecure.domain import Image, SeenFace
from facesecure.domain.accounts import Role
from facesecure.services.model_stack import ModelStack
from support.builders import NOON
from support.faces import on_canvas, portrait, scaled
from support.page_socket import SignedIn, request_line, token_of
from support.store import picture, sighting


@dataclass(frozen=True)
class Page:
    """What a browser may ask."""

    parts: WebParts

    def ask(
        self,
        verb: str,
        arguments: Mapping[str, Any] | None = None,
        body: bytes = b"",
        role: Role = Role.MEMBER,
        confirmed: bool = True,
    ) -> Answer:
        """Return the answer, or raise Refused."""
        guard = Guard(all_verbs(), self.parts, SignedIn())
        line = request_line(verb, arguments, token=token_of(role, confirmed), body=len(body))
        return guard.answer(guard.admit(Request.parse(line)), body)

    def send(self, draft: str, image: Image, source: str = "a.jpg", **more: Any) -> Mapping[str, Any]:
        """Send a picture to an enrolment."""
        height, width = image.shape[:2]
        arguments = {"draft": draft, "source": source, "width": width, "height": height}
        return self.ask("enrol-picture", arguments, image.tobytes(), **more).result

    def begin(self, name: str = "Grace", **more: Any) -> str:
        """Begin to enrol somebody; return the draft."""
        return str(self.ask("enrol-begin", {"name": name, "consent": True}, **more).result["draft"])


def kept_of_grace(models: ModelStack, wanted: int = 8) -> list[SeenFace]:
    """Good faces of Grace Hopper, as the daemon would have kept them."""
    enrolment = models.enrolment()
    for number, image in enumerate(enrolment_images(16)):
        enrolment.add_image(image, str(number))
    faces = [one.face for one in enrolment.accepted if one.face is not None]
    return [SeenFace(face, models.embedder.embed(face.image), models.embedder.sha256, NOON) for face in faces][:wanted]


def came(parts: WebParts, models: ModelStack, identifier: str, faces: list[SeenFace]) -> int:
    """Record the visit of a stranger; return the visitor's number."""
    parts.store.record(replace(sighting(identifier, snapshot=picture(8, 8)), faces=tuple(faces)))
    number = parts.store.visitors.group(identifier, models.match_visitor)
    assert number is not None
    return number


def two_people() -> Image:
    """Grace Hopper on the left and Eileen Collins on the right, of the same size."""
    small = [scaled(portrait(name), 400 / portrait(name).shape[0]) for name in ("grace_hopper", "eileen_collins")]
    canvas, right = on_canvas(small[0], 40, 100), small[1]
    canvas[100 : 100 + right.shape[0], 520 : 520 + right.shape[1]] = right
    return canvas
