"""Google's voice on the loopback: the remote call that gTTS makes, answered over TLS with real sound."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import json
import ssl
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from facesecure.alerts.speech.audio import finished
from facesecure.alerts.speech.voices.fake import FakeVoice


@dataclass
class Google:
    """The requests so far, and how to answer."""

    url: str = ""
    trust: str = ""
    asked: list[tuple[str, str, bool]] = field(default_factory=list)
    """(text, language, slowly) of each request."""
    headers: list[dict[str, str]] = field(default_factory=list)
    status: int = 200
    speechless: bool = False
    rubbish: bool = False
    hangs: bool = False
    released: threading.Event = field(default_factory=threading.Event)


class _Handler(BaseHTTPRequestHandler):
    server: Any

    def do_POST(self) -> None:
        google: Google = self.server.google
        body = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        (((name, argument, _, _),),) = json.loads(body["f.req"][0])
        text, language, slow, _ = json.loads(argument)
        google.asked.append((text, language, bool(slow)))
        google.headers.append(dict(self.headers))
        if google.hangs:
            google.released.wait(30)
            return
        self._answer(google, name, text)

    def _answer(self, google: Google, name: str, text: str) -> None:
        mp3 = b"rubbish!" * 10 if google.rubbish else finished(FakeVoice().say(text, "en"), 0.1)
        inner = None if google.speechless else json.dumps([base64.b64encode(mp3).decode()])
        line = json.dumps([["wrb.fr", name, inner, None, None, None, "generic"], ["di", 12]], separators=(",", ":"))
        answer = f')]}}\'\n\n{len(line)}\n{line}\n25\n[["e",4,null,null,131]]\n'.encode()
        self.send_response(google.status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    google: Google

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a client that does not trust the certificate and disconnects."""


@contextmanager
def google_voice(folder: Path) -> Iterator[Google]:
    """Run a server whose certificate is trusted by clients that are given ``trust`` alone."""
    certificate = _certificate(folder)
    server = _Server(("127.0.0.1", 0), _Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.google = Google(f"https://127.0.0.1:{server.server_address[1]}/speak", str(certificate))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.google
    finally:
        server.google.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _certificate(folder: Path) -> Path:
    """A PEM file of a key and its certificate for the loopback."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "the tests' own")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(
        now + datetime.timedelta(days=1)
    )
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path = folder / "google.pem"
    path.write_bytes(key.private_bytes(*form) + signed.public_bytes(serialization.Encoding.PEM))
    return path
