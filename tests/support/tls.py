"""A certificate authority of the tests, and servers with certificates that it signed: real TLS on the loopback."""

from __future__ import annotations

import datetime
import ipaddress
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_PEM = serialization.Encoding.PEM
_PLAIN = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()


@dataclass(frozen=True)
class Authority:
    """Signs certificates; whoever trusts the file ``root`` accepts them. Its files are in ``folder``."""

    folder: Path

    @cached_property
    def _key(self) -> ec.EllipticCurvePrivateKey:
        return ec.generate_private_key(ec.SECP256R1())

    @cached_property
    def _name(self) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"authority of the tests in {self.folder.name}")])

    @cached_property
    def root(self) -> Path:
        """The file of its own certificate."""
        path = self.folder / "root.pem"
        authority = x509.BasicConstraints(ca=True, path_length=0)
        builder = _builder(self._name, self._name, self._key).add_extension(authority, critical=True)
        path.write_bytes(builder.sign(self._key, hashes.SHA256()).public_bytes(_PEM))
        return path

    def client_files(self, folder: Path, common_name: str = "a client of the tests") -> None:
        """Write ca.pem, client.pem and client.key to ``folder``, of whom a cluster or a database lets in."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        signed = _builder(name, self._name, key).sign(self._key, hashes.SHA256())
        (folder / "ca.pem").write_bytes(self.root.read_bytes())
        (folder / "client.pem").write_bytes(signed.public_bytes(_PEM))
        (folder / "client.key").write_bytes(key.private_bytes(_PEM, *_PLAIN))
        (folder / "client.key").chmod(0o600)

    def context(self, host: str = "127.0.0.1", *, days: int = 1) -> ssl.SSLContext:
        """What a server needs to be ``host``; with negative ``days`` its certificate has expired."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a server of the tests")])
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))])
        builder = _builder(name, self._name, key, days).add_extension(names, critical=False)
        signed = builder.sign(self._key, hashes.SHA256())
        path = self.folder / f"{host}-{signed.serial_number}.pem"
        path.write_bytes(key.private_bytes(_PEM, *_PLAIN) + signed.public_bytes(_PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def _builder(
    name: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: int = 1
) -> x509.CertificateBuilder:
    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    builder = x509.CertificateBuilder(issuer, name, key.public_key(), x509.random_serial_number())
    return builder.not_valid_before(now - 3 * day).not_valid_after(now + days * day)


@dataclass
class Peer:
    """A server whose every answer is written by a test. ``requests`` are the heads it got, ``sent`` all it sent."""

    url: str
    requests: list[str] = field(default_factory=list)
    sent: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)

    def for_ever(self, connection: socket.socket, piece: bytes, pause: float = 0.0) -> None:
        """Send ``piece`` again and again until the client hangs up or the test ends."""
        while not self.stopped.wait(pause):
            connection.sendall(piece)
            self.sent += len(piece)


Answer = Callable[[Peer, socket.socket], None]
"""Answers one request on an open connection; an OSError means that the client hung up."""


@contextmanager
def hostile_peer(answer: Answer, context: ssl.SSLContext | None) -> Iterator[Peer]:
    """Run a server that answers with ``answer``; without ``context`` it gets the bare connection, nothing read."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        peer = Peer(f"https://127.0.0.1:{listener.getsockname()[1]}")
        thread = threading.Thread(target=_serve, args=(listener, context, answer, peer))
        thread.start()
        try:
            yield peer
        finally:
            peer.stopped.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _serve(listener: socket.socket, context: ssl.SSLContext | None, answer: Answer, peer: Peer) -> None:
    while not peer.stopped.is_set():
        with suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(60)
                _converse(connection, context, answer, peer)


def _converse(connection: socket.socket, context: ssl.SSLContext | None, answer: Answer, peer: Peer) -> None:
    if context is None:
        answer(peer, connection)
        return
    with context.wrap_socket(connection, server_side=True) as encrypted:
        peer.requests.append(_request(encrypted))
        answer(peer, encrypted)


def _request(connection: socket.socket) -> str:
    """Read a request and its body: closing a connection with bytes unread would take the answer from the client."""
    text = b""
    while b"\r\n\r\n" not in text:
        text += connection.recv(65536) or b"\r\n\r\n"
    length = re.search(rb"(?i)^content-length: (\d+)", text, re.MULTILINE)
    while length and len(text.partition(b"\r\n\r\n")[2]) < int(length[1]) and (more := connection.recv(65536)):
        text += more
    return text.decode()
