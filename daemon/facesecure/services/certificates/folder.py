"""The folder of the page's certificates: made, renewed, read.

``authority.pem`` is what phones install, ``authority.key`` signs the machine's certificate, ``server.pem`` is that
certificate with the authority's behind it, and ``server.key`` its key. The keys are their owner's only (0600): systemd
reads ``server.key`` as root and lends it to the web process.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from facesecure.domain.errors import UsageError
from facesecure.services.certificates.names import Names
from facesecure.services.certificates.signing import beyond, new_key, sign_authority, sign_machine
from facesecure.util.files import read_regular, write_durably

FOLDER = Path("/etc/facesecure/web")
AUTHORITY, AUTHORITY_KEY = "authority.pem", "authority.key"
SERVER, SERVER_KEY = "server.pem", "server.key"
RENEW_WITHIN = timedelta(days=30)
_PUBLIC = 0o644
_PEM = serialization.Encoding.PEM
_AGAIN = "make a new authority with --new-authority, and install it on every phone again"


@dataclass(frozen=True, slots=True)
class Certificate:
    """What people want to know of a certificate. ``fingerprint`` is its SHA-256, as phones show it."""

    names: tuple[str, ...]
    until: datetime
    fingerprint: str

    @classmethod
    def of(cls, certificate: x509.Certificate) -> Self:
        """Describe ``certificate``."""
        until = certificate.not_valid_after_utc
        return cls(_names_in(certificate), until, certificate.fingerprint(hashes.SHA256()).hex(":").upper())

    def due(self, now: datetime | None = None) -> bool:
        """Return whether it should be renewed by now."""
        return self.until - (now or datetime.now(UTC)) < RENEW_WITHIN


@dataclass(frozen=True, slots=True)
class Certificates:
    """The two certificates in a folder; ``renewable``: the authority's key is still there."""

    machine: Certificate
    authority: Certificate
    renewable: bool


def read(folder: Path) -> Certificates | None:
    """Return the certificates in ``folder``, None if there are none. Raises UsageError if they cannot be read."""
    if not (folder / SERVER).exists():
        return None
    machine, authority = (Certificate.of(_certificate(folder / name)) for name in (SERVER, AUTHORITY))
    return Certificates(machine, authority, (folder / AUTHORITY_KEY).exists())


def has_authority(folder: Path) -> bool:
    """Return whether there is an authority in ``folder``."""
    return (folder / AUTHORITY).exists()


def authority_pem(folder: Path) -> bytes:
    """Return the authority's certificate in ``folder``, as phones install it. Raises OSError."""
    return read_regular(folder / AUTHORITY)


def within(folder: Path, names: Names) -> tuple[Names, tuple[str, ...]]:
    """Return those of ``names`` that the authority in ``folder`` may sign for, and the others.

    Where there is no authority yet, it will be made for all of them.
    """
    if not has_authority(folder):
        return names, ()
    outside = tuple(beyond(_certificate(folder / AUTHORITY), names))
    return Names.of(text for text in names.texts() if text not in outside), outside


def issue(folder: Path, names: Names, *, new_authority: bool = False) -> Certificates:
    """Make or renew the machine's certificate for ``names`` in ``folder``, and an authority where there is none.

    Raises UsageError if the authority there may not sign for ``names`` or its key is gone, OSError if ``folder`` cannot
    be written.
    """
    if not names.hosts:
        raise UsageError("a certificate needs at least one host name", "such as raspberrypi.local")
    _make(folder)
    authority, signer = _authority(folder, names, new_authority)
    key = new_key()
    signed = sign_machine(key, names, authority, signer)
    if new_authority or not has_authority(folder):
        _write_key(folder / AUTHORITY_KEY, signer)
        _write_public(folder / AUTHORITY, authority)
    _write_key(folder / SERVER_KEY, key)
    _write_public(folder / SERVER, signed, authority)
    return Certificates(Certificate.of(signed), Certificate.of(authority), True)


def discard_authority_key(folder: Path) -> None:
    """Remove the authority's key: nobody can sign with it any more, not even a renewal."""
    (folder / AUTHORITY_KEY).unlink(missing_ok=True)


def _make(folder: Path) -> None:
    """Make ``folder``; the certificates in it are for everybody who may enter the folder above, whatever the umask."""
    if not folder.is_dir():
        folder.mkdir(parents=True)
        folder.chmod(0o755)


def _authority(folder: Path, names: Names, new: bool) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    if new or not has_authority(folder):
        key = new_key()
        return sign_authority(key, names), key
    authority = _certificate(folder / AUTHORITY)
    if not (folder / AUTHORITY_KEY).exists():
        raise UsageError("the authority's key was discarded, so that nothing can be signed with it", _AGAIN)
    if outside := beyond(authority, names):
        raise UsageError(f"this household's authority may not sign for {', '.join(outside)}", _AGAIN)
    if Certificate.of(authority).due():
        raise UsageError("the authority's ten years are nearly over", _AGAIN)
    return authority, _key(folder / AUTHORITY_KEY, authority)


def _key(path: Path, authority: x509.Certificate) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(read_regular(path), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UsageError(f"cannot read the key {path}: {getattr(error, 'strerror', None) or error}", _AGAIN) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != authority.public_key():
        raise UsageError(f"{path} is not the key of {path.with_name(AUTHORITY)}", _AGAIN)
    return key


def _certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(read_regular(path))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is damaged"
        raise UsageError(f"cannot read the certificate {path}: {reason}", _AGAIN) from error


def _names_in(certificate: x509.Certificate) -> tuple[str, ...]:
    """Return the names that a certificate states or, for an authority, may sign for."""
    found = {type(extension.value): extension.value for extension in certificate.extensions}
    stated = found.get(x509.SubjectAlternativeName)
    if isinstance(stated, x509.SubjectAlternativeName):
        return tuple(str(one.value) for one in stated)
    limits = found.get(x509.NameConstraints)
    permitted = limits.permitted_subtrees if isinstance(limits, x509.NameConstraints) else None
    return tuple(str(one.value).removesuffix("/32").removesuffix("/128") for one in permitted or ())


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    write_durably(path, key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))


def _write_public(path: Path, *certificates: x509.Certificate) -> None:
    write_durably(path, b"".join(one.public_bytes(_PEM) for one in certificates))
    path.chmod(_PUBLIC)
