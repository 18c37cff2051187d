"""How a Cast device proves who it is, and how one does that is not who it says."""

from __future__ import annotations

import datetime
import functools
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from pychromecast.generated.cast_channel_pb2 import SHA256, CastMessage, DeviceAuthMessage

from support.cast.script import Script

NAMESPACE = "urn:x-cast:com.google.cast.tp.deviceauth"


@functools.cache
def device_key(name: str) -> tuple[rsa.RSAPrivateKey, bytes]:
    """The key that the maker gave the device ``name``, and its certificate."""
    key = rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=7300))
    return key, builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def make_keys(script: Script) -> None:
    """Make the keys of a device that behaves so: one may take seconds, in which a device has to have answered."""
    if script.key:
        device_key(script.key)
    if script.proves == "other":
        device_key("another device")


def answer(script: Script, message: CastMessage, connection_certificate: Path) -> CastMessage:
    """The answer to the challenge in ``message``, as ``script`` has it."""
    challenge = DeviceAuthMessage.FromString(message.payload_binary).challenge
    connection = x509.load_pem_x509_certificate(connection_certificate.read_bytes()).public_bytes(Encoding.DER)
    nonce = b"" if script.proves == "old" else challenge.sender_nonce
    signed = nonce + (b"another connection" if script.proves == "relayed" else connection)
    key, certificate = device_key(script.key)
    if script.proves == "other":
        key, _ = device_key("another device")
    reply = DeviceAuthMessage()
    reply.response.signature = key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
    reply.response.client_auth_certificate = b"no certificate" if script.proves == "broken" else certificate
    reply.response.sender_nonce, reply.response.hash_algorithm = nonce, SHA256
    return CastMessage(
        protocol_version=CastMessage.CASTV2_1_0,
        source_id=message.destination_id,
        destination_id=message.source_id,
        namespace=NAMESPACE,
        payload_type=CastMessage.BINARY,
        payload_binary=reply.SerializeToString(),
    )
