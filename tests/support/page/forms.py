"""Forms with files as browsers send them, and as nobody should."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import cv2
import numpy as np

from facesecure.domain import Image
from facesecure.domain.accounts import Role
from support.page.served import Answered, Served

BOUNDARY = "----facesecure0123456789"
MULTIPART = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def file_part(data: bytes, name: str = "a.jpg", field: str = "photos", kind: str = "image/jpeg") -> bytes:
    """One file of a form."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\nContent-Type: {kind}'
    return head.encode() + b"\r\n\r\n" + data + b"\r\n"


def field_part(name: str, value: bytes = b"") -> bytes:
    """One field of a form."""
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value + b"\r\n"


def form(parts: Iterable[bytes]) -> bytes:
    """The whole form."""
    return b"".join([*parts, f"--{BOUNDARY}--\r\n".encode()])


def jpeg(image: Image) -> bytes:
    """The picture as a phone sends it."""
    done, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 95])
    assert done
    return np.asarray(data).tobytes()


def begin(house: Served, name: str = "Grace", role: Role = Role.MEMBER) -> str:
    """Begin an enrolment; return the path of its page."""
    answer = house.post("/enrol", {"name": name, "consent": "yes"}, role)
    assert answer.status == 303, answer.text
    return answer.headers["location"]


def upload(
    house: Served, draft: str, body: bytes, role: Role = Role.MEMBER, headers: Mapping[str, str | None] | None = None
) -> Answered:
    """Send a form with pictures to the enrolment at the path ``draft``."""
    return house.ask("POST", f"{draft}/pictures", role, {**MULTIPART, **(headers or {})}, body)
