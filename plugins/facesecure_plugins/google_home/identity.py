"""Who a Cast device is: the certificate that its maker gave it, proven for this connection.

The certificate of the TLS connection is self-signed and changes every few days. The namespace ``deviceauth`` shows a
lasting one: challenged, a device returns its own certificate and, made with that one's key, a signature over the
certificate of this connection. Whoever poses as the device, or relays to it, has another connection's certificate.
The exchange is that of Chromium (components/media_router/common/providers/cast/channel/cast_auth_util.cc). Whether the
certificate was issued by Google is not checked: it is compared with the one that was shown at first use.
"""

from __future__ import annotations

import hashlib
import secrets
import struct
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from google.protobuf.message import DecodeError
from pychromecast.generated.cast_channel_pb2 import SHA256, AuthResponse, CastMessage, DeviceAuthMessage

from facesecure.domain.errors import PluginError
from facesecure_plugins.google_home.deadline import Deadline
from facesecure_plugins.google_home.tls import LARGEST_MESSAGE, LockedTls

NAMESPACE = "urn:x-cast:com.google.cast.tp.deviceauth"


def read_identity(tls: LockedTls, seconds: float) -> str:
    """Challenge the device on the fresh connection ``tls``; return the SHA-256 of its public key, in hex.

    Returns "" if it shows no certificate within ``seconds``. Raises PluginError if what it shows is not its own, and
    OSError if the connection ends.
    """
    challenge = DeviceAuthMessage()
    challenge.challenge.sender_nonce = secrets.token_bytes(16)
    challenge.challenge.hash_algorithm = SHA256
    tls.sendall(_framed(challenge))
    try:
        answer = _answer(tls, Deadline(seconds))
    except TimeoutError:
        return ""
    if not answer.HasField("response"):
        return ""
    return _proven(answer.response, challenge.challenge.sender_nonce, tls.peer_certificate)


def _framed(challenge: DeviceAuthMessage) -> bytes:
    message = CastMessage(
        protocol_version=CastMessage.CASTV2_1_0,
        source_id="sender-0",
        destination_id="receiver-0",
        namespace=NAMESPACE,
        payload_type=CastMessage.BINARY,
        payload_binary=challenge.SerializeToString(),
    )
    return struct.pack(">I", message.ByteSize()) + bytes(message.SerializeToString())


def _answer(tls: LockedTls, deadline: Deadline) -> Any:
    """Return the next DeviceAuthMessage. Raises TimeoutError, or PluginError for what is no such message."""
    while True:
        (size,) = struct.unpack(">I", tls.read_exactly(4, deadline))
        if size > LARGEST_MESSAGE:
            raise PluginError(f"a message of {size} bytes, more than the Cast protocol allows")
        try:
            message = CastMessage.FromString(tls.read_exactly(size, deadline))
            if message.namespace == NAMESPACE:
                return DeviceAuthMessage.FromString(message.payload_binary)
        except DecodeError as error:
            raise PluginError(f"an answer that is no Cast message: {error}") from error


def _proven(response: AuthResponse, nonce: bytes, connection_certificate: bytes) -> str:
    """Return the fingerprint of the key that signed. A device that ignores the nonce signs the certificate alone."""
    if response.sender_nonce not in (b"", nonce):
        raise PluginError("its proof answers another challenge")
    try:
        key = x509.load_der_x509_certificate(response.client_auth_certificate).public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            raise PluginError("its certificate has no RSA key")
        digest = hashes.SHA256() if response.hash_algorithm == SHA256 else hashes.SHA1()
        signed = response.sender_nonce + connection_certificate
        key.verify(response.signature, signed, padding.PKCS1v15(), digest)
    except ValueError as error:
        raise PluginError("its certificate cannot be read") from error
    except InvalidSignature as error:
        raise PluginError("its proof does not fit this connection") from error
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
