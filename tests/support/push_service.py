"""A push service of the tests, over real TLS, and browsers that decrypt what it got and check who sent it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from support.tls import Authority

CURVE = ec.SECP256R1()


def encoded(value: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """The bytes of base64url."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def point_of(key: ec.EllipticCurvePublicKey) -> bytes:
    """The 65 bytes of a public key."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


@dataclass(frozen=True)
class Push:
    """A message as the service got it."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class SubscribedBrowser:
    """A browser with its two keys. It reads messages as RFC 8291 says, written apart from what is tested."""

    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(CURVE))
    auth: bytes = b"0123456789abcdef"

    @property
    def p256dh(self) -> str:
        return encoded(point_of(self.private.public_key()))

    def asked(self, endpoint: str) -> dict[str, str]:
        """What the page is told of it."""
        return {"endpoint": endpoint, "p256dh": self.p256dh, "auth": encoded(self.auth)}

    def read(self, push: Push) -> dict[str, Any]:
        """The message in ``push``. Raises InvalidTag if it is not for this browser."""
        assert push.headers["content-encoding"] == "aes128gcm"
        document: dict[str, Any] = json.loads(self.decrypt(push.body))
        return document

    def decrypt(self, body: bytes) -> bytes:
        """The plain bytes of ``body``."""
        salt, length = body[:16], body[20]
        theirs, sealed = body[21 : 21 + length], body[21 + length :]
        shared = self.private.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, theirs))
        ours = point_of(self.private.public_key())
        material = _expanded(_keyed(self.auth, shared), b"WebPush: info\0" + ours + theirs, 32)
        secret = _keyed(salt, material)
        key = _expanded(secret, b"Content-Encoding: aes128gcm\0", 16)
        plain = AESGCM(key).decrypt(_expanded(secret, b"Content-Encoding: nonce\0", 12), sealed, None).rstrip(b"\0")
        assert plain.endswith(b"\x02")
        return plain[:-1]


def _keyed(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, hashlib.sha256)


def _expanded(secret: bytes, info: bytes, length: int) -> bytes:
    return _keyed(secret, info + b"\x01")[:length]


def claims_of(push: Push, key: str, origin: str) -> dict[str, Any]:
    """What the sender claims, once the signature is checked with the household's public ``key`` (RFC 8292)."""
    scheme, _, rest = push.headers["authorization"].partition(" ")
    fields = dict(part.strip().split("=", 1) for part in rest.split(","))
    assert (scheme, fields["k"]) == ("vapid", key)
    signed, _, signature = fields["t"].rpartition(".")
    raw = decoded(signature)
    assert len(raw) == 64
    public = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, decoded(key))
    numbers = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    public.verify(encode_dss_signature(*numbers), signed.encode(), ec.ECDSA(hashes.SHA256()))
    head, claims = (json.loads(decoded(part)) for part in signed.split("."))
    assert head == {"typ": "JWT", "alg": "ES256"}
    assert claims["aud"] == origin
    assert 0 < claims["exp"] - time.time() <= 24 * 3600
    return dict(claims)


Answer = Callable[[BaseHTTPRequestHandler], None]


def answering(status: int, **headers: str) -> Answer:
    """An answer without a body."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in {**headers, "Content-Length": "0"}.items():
            request.send_header(name, value)
        request.end_headers()

    return answer


@dataclass
class PushService:
    """At ``url``: what it got, and how it answers at each path; at others with 201."""

    url: str
    pushes: list[Push] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        return f"https://{urlsplit(self.url).netloc}"

    def at(self, path: str) -> list[Push]:
        """What came to ``path``."""
        return [one for one in self.pushes if one.path == path]


@contextmanager
def push_service(authority: Authority) -> Iterator[PushService]:
    """Run a push service whose certificate ``authority`` signed."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            service.pushes.append(Push(self.path, headers, body))
            service.answers.get(self.path, answering(201))(self)
            self.close_connection = True

        do_GET = do_POST

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    server.socket = authority.context().wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    service = PushService(f"https://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
