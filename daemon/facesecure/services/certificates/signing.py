"""Sign the authority's own certificate and the machine's.

The authority may sign for the machine's names only. Its name constraints are critical, so whoever does not understand
them refuses it: phones that trust it believe it about this machine, and about no other site, even if its key is stolen.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from facesecure.services.certificates.names import Names

AUTHORITY_DAYS = 3652
MACHINE_DAYS = 397
"""Safari takes 398 days at most from the authorities it ships, and Chromium did: below that nobody objects."""
_BEFORE = timedelta(days=2)
"""How far a phone's clock may be behind that of the machine."""
_NOTHING = ("0.0.0.0/0", "::/0")


def new_key() -> ec.EllipticCurvePrivateKey:
    """Return a new key on P-256, which every browser takes."""
    return ec.generate_private_key(ec.SECP256R1())


def sign_authority(key: ec.EllipticCurvePrivateKey, names: Names) -> x509.Certificate:
    """Return the certificate of an authority that may sign for ``names`` and nothing else.

    ``names`` has at least one host name: an authority without one could sign for every host name.
    """
    if not names.hosts:
        raise ValueError("an authority without host names could sign for every one")
    name = _named(f"facesecure of {names.hosts[0]}")
    builder = _builder(name, name, key, AUTHORITY_DAYS)
    for extension, critical in (
        (x509.BasicConstraints(ca=True, path_length=0), True),
        (_usage(authority=True), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (_constraints(names), True),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
    ):
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(key, hashes.SHA256())


def sign_machine(
    key: ec.EllipticCurvePrivateKey, names: Names, authority: x509.Certificate, signer: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    """Return a certificate of ``key`` for ``names``, signed by ``signer``, the key of ``authority``."""
    left = (authority.not_valid_after_utc - datetime.now(UTC)).days
    builder = _builder(_named(names.texts()[0]), authority.subject, key, min(MACHINE_DAYS, left))
    alternatives = [*map(x509.DNSName, names.hosts), *map(x509.IPAddress, names.addresses)]
    issuer = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    for extension, critical in (
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_usage(authority=False), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.SubjectAlternativeName(alternatives), False),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer), False),
    ):
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(signer, hashes.SHA256())


def beyond(authority: x509.Certificate, names: Names) -> Sequence[str]:
    """Return those of ``names`` that ``authority`` may not sign for."""
    permitted = authority.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or ()
    hosts = [one.value for one in permitted if isinstance(one, x509.DNSName)]
    values = [one.value for one in permitted]
    networks = [one for one in values if isinstance(one, ipaddress.IPv4Network | ipaddress.IPv6Network)]
    return [
        *(host for host in names.hosts if not any(host == one or host.endswith(f".{one}") for one in hosts)),
        *(str(address) for address in names.addresses if not any(address in network for network in networks)),
    ]


def _builder(name: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: int) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(issuer, name, key.public_key(), x509.random_serial_number())
    return builder.not_valid_before(now - _BEFORE).not_valid_after(now - _BEFORE + timedelta(days=days))


def _named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])  # RFC 5280: ub-common-name


def _constraints(names: Names) -> x509.NameConstraints:
    """Where no address is permitted, all have to be excluded: a kind of which none is named is not limited."""
    hosts = [x509.DNSName(host) for host in names.hosts]
    addresses = [x509.IPAddress(ipaddress.ip_network(address)) for address in names.addresses]
    excluded = None if addresses else [x509.IPAddress(ipaddress.ip_network(network)) for network in _NOTHING]
    return x509.NameConstraints([*hosts, *addresses], excluded)


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority, key_cert_sign=authority, crl_sign=authority, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
