"""The household's certificate authority: what it may sign for, told by openssl and by real TLS."""

from __future__ import annotations

import shutil
import socket
import ssl
import stat
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from facesecure.domain.errors import UsageError
from facesecure.services.certificates.folder import (
    AUTHORITY,
    AUTHORITY_KEY,
    SERVER,
    SERVER_KEY,
    discard_authority_key,
    issue,
    read,
)
from facesecure.services.certificates.names import Names, names_of_this_machine
from facesecure.services.certificates.signing import sign_authority, sign_machine

HOME = Names.of(["pi.local", "pi", "192.168.1.20"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "web"


def verify(folder: Path, certificate: Path, *words: str) -> str:
    """Return "OK", or what openssl has against ``certificate``."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not here: apt install openssl")
    command = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", str(folder / AUTHORITY), *words]
    done = subprocess.run([*command, str(certificate)], capture_output=True, text=True, check=False)
    return "OK" if done.returncode == 0 else done.stdout + done.stderr


def signed_for(folder: Path, *names: str) -> Path:
    """A certificate for ``names`` that whoever has stolen the authority's key would sign."""
    authority = x509.load_pem_x509_certificate((folder / AUTHORITY).read_bytes())
    signer = serialization.load_pem_private_key((folder / AUTHORITY_KEY).read_bytes(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    path = folder / "stolen.pem"
    signed = sign_machine(key, Names.of(names), authority, signer)
    path.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.mark.parametrize(("option", "name"), [("-verify_hostname", "pi.local"), ("-verify_ip", "192.168.1.20")])
def test_openssl_takes_the_machine_s_certificate_under_each_of_its_names(folder, option, name):
    issue(folder, HOME)
    assert verify(folder, folder / SERVER, option, name) == "OK"


@pytest.mark.parametrize("name", ["bank.example", "pi.local.example", "other.local", "192.168.1.21", "fd00::1"])
def test_a_stolen_authority_key_signs_for_no_other_site(folder, name):
    issue(folder, HOME)
    assert "permitted subtree violation" in verify(folder, signed_for(folder, name))


@pytest.mark.parametrize("address", ["192.168.1.20", "fd00::1"])
def test_an_authority_without_addresses_signs_for_none(folder, address):
    issue(folder, Names.of(["pi.local"]))
    assert "excluded subtree violation" in verify(folder, signed_for(folder, address))


def test_an_authority_signs_no_further_authority(folder):
    issue(folder, HOME)
    authority = x509.load_pem_x509_certificate((folder / AUTHORITY).read_bytes())
    constraints = authority.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value.path_length) == (True, 0)
    assert authority.extensions.get_extension_for_class(x509.NameConstraints).critical


def test_without_a_host_name_there_is_no_authority(folder):
    with pytest.raises(UsageError, match="at least one host name"):
        issue(folder, Names.of(["192.168.1.20"]))
    with pytest.raises(ValueError, match="every one"):
        sign_authority(ec.generate_private_key(ec.SECP256R1()), Names.of(["192.168.1.20"]))


def handshake(folder: Path, host: str) -> str | None:
    """Return the TLS version that a client which trusts the authority agrees on with ``host``; else it raises."""
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cafile=folder / AUTHORITY)
    server.load_cert_chain(folder / SERVER, folder / SERVER_KEY)
    here, there = socket.socketpair()

    def serve() -> None:
        try:
            with server.wrap_socket(there, server_side=True) as connection:
                connection.recv(1)
        except OSError:
            there.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(here, server_hostname=host) as connection:
            return connection.version()
    finally:
        here.close()
        thread.join(10)


def test_a_phone_that_trusts_the_authority_speaks_tls_with_the_machine_and_with_nobody_else(folder):
    issue(folder, HOME)
    assert handshake(folder, "pi.local") == "TLSv1.3"
    assert handshake(folder, "192.168.1.20") == "TLSv1.3"
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        handshake(folder, "other.local")


def test_a_renewal_keeps_the_authority_and_changes_the_key(folder):
    first = issue(folder, HOME)
    authority, key = (folder / AUTHORITY).read_bytes(), (folder / SERVER_KEY).read_bytes()
    second = issue(folder, HOME)
    assert (folder / AUTHORITY).read_bytes() == authority
    assert (folder / SERVER_KEY).read_bytes() != key
    assert first.authority == second.authority == read(folder).authority
    assert first.machine.fingerprint != second.machine.fingerprint == read(folder).machine.fingerprint
    assert verify(folder, folder / SERVER) == "OK"


def test_what_is_stated_is_what_was_asked_for(folder):
    made = issue(folder, HOME)
    assert made.machine.names == made.authority.names == ("pi.local", "pi", "192.168.1.20")
    now = datetime.now(UTC)
    assert timedelta(days=394) < made.machine.until - now < timedelta(days=398)
    assert not made.machine.due()
    assert made.machine.due(now + timedelta(days=370))
    assert made.authority.until - now > timedelta(days=3640)


def test_a_name_beyond_the_authority_needs_a_new_one(folder):
    first = issue(folder, HOME)
    with pytest.raises(UsageError, match=r"may not sign for other\.local, 10\.0\.0\.1") as refused:
        issue(folder, Names.of(["pi.local", "other.local", "10.0.0.1"]))
    assert "--new-authority" in (refused.value.hint or "")
    second = issue(folder, Names.of(["other.local"]), new_authority=True)
    assert second.authority.fingerprint != first.authority.fingerprint
    assert verify(folder, folder / SERVER, "-verify_hostname", "other.local") == "OK"


def test_keys_are_their_owner_s_only_and_certificates_for_everybody(folder):
    issue(folder, HOME)
    modes = {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in folder.iterdir()}
    assert modes == {AUTHORITY: "0o644", SERVER: "0o644", AUTHORITY_KEY: "0o600", SERVER_KEY: "0o600"}
    assert oct(stat.S_IMODE(folder.stat().st_mode)) == "0o755"


def test_without_the_authority_s_key_nothing_is_signed_and_the_certificate_stays(folder):
    issue(folder, HOME)
    discard_authority_key(folder)
    before = (folder / SERVER).read_bytes()
    assert not read(folder).renewable
    with pytest.raises(UsageError, match="discarded"):
        issue(folder, HOME)
    assert (folder / SERVER).read_bytes() == before
    assert issue(folder, HOME, new_authority=True).renewable


@pytest.mark.parametrize("damage", [b"", b"nothing", None])
def test_a_damaged_or_foreign_key_is_refused(folder, damage):
    issue(folder, HOME)
    (folder / AUTHORITY_KEY).write_bytes((folder / SERVER_KEY).read_bytes() if damage is None else damage)
    with pytest.raises(UsageError, match=r"authority\.key"):
        issue(folder, HOME)


def test_a_damaged_certificate_is_refused(folder):
    issue(folder, HOME)
    (folder / SERVER).write_text("nothing")
    with pytest.raises(UsageError, match="cannot read the certificate"):
        read(folder)


def test_where_there_is_none_there_is_none(folder):
    assert read(folder) is None


@pytest.mark.parametrize("text", ["", "*.local", "a b", "-pi", "pi..local", "pi/24", "x" * 64, "é.local", "pi\n"])
def test_what_is_no_host_name_is_refused(text):
    with pytest.raises(UsageError, match="neither a host name nor an address"):
        Names.of([text])


def test_names_are_kept_once_in_lower_case():
    names = Names.of(["Pi.Local.", "pi.local", "FD00::1", "fd00:0::1"])
    assert names.texts() == ("pi.local", "fd00::1")


def test_this_machine_has_a_name_that_phones_find():
    names = names_of_this_machine()
    assert names.hosts[0].endswith(".local")
    assert not any(address.is_loopback or address.is_global for address in names.addresses)
