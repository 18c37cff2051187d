"""``facesecure web certificate``."""

from __future__ import annotations

import pytest

from facesecure.services.certificates.folder import read


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "web"


def test_it_makes_a_certificate_and_says_how_phones_get_the_authority(facesecure, folder):
    made = facesecure("web", "certificate", "--folder", folder, "--name", "pi.local", "--name", "192.168.1.20")
    assert made.code == 0
    assert made.out.startswith("certificate for pi.local, 192.168.1.20, until 20")
    assert read(folder).authority.fingerprint in made.out
    assert "install the authority from https://pi.local:8443/authority.crt" in made.err
    assert "▀" in made.err, "a QR code"


def test_by_default_it_is_for_this_machine_and_the_hosts_of_the_settings(facesecure, folder, tmp_path):
    config = tmp_path / "facesecure.toml"
    config.write_text('[web]\nhosts = ["door.example.org"]\nport = 443\n')
    made = facesecure("--config", config, "web", "certificate", "--folder", folder, "--json").json
    assert "door.example.org" in made["certificate"]["names"]
    assert made["certificate"]["names"][0].endswith(".local")
    assert made["certificate"]["names"] == made["authority"]["names"]


def test_run_again_it_renews_with_the_same_authority_and_phones_have_nothing_to_do(facesecure, folder):
    first = facesecure("web", "certificate", "--folder", folder, "--json").json
    again = facesecure("web", "certificate", "--folder", folder)
    assert first["authority"]["sha256"] in again.out
    assert first["certificate"]["sha256"] != read(folder).machine.fingerprint
    assert "on each phone" not in again.err


def test_an_address_that_is_new_since_is_left_out_and_named(facesecure, folder, tmp_path):
    facesecure("web", "certificate", "--folder", folder, "--name", "pi.local")
    config = tmp_path / "facesecure.toml"
    config.write_text('[web]\nhosts = ["pi.local", "door.example.org"]\n')
    again = facesecure("--config", config, "web", "certificate", "--folder", folder)
    assert again.code == 0
    assert "not for door.example.org" in again.err
    assert "certificate for pi.local," in again.out
    asked = facesecure("web", "certificate", "--folder", folder, "--name", "door.example.org")
    assert (asked.code, "may not sign for door.example.org" in asked.err) == (2, True)


def test_shown_it_changes_nothing(facesecure, folder):
    assert facesecure("web", "certificate", "--folder", folder, "--show").code == 2
    assert not folder.exists()
    made = facesecure("web", "certificate", "--folder", folder, "--json").json
    assert facesecure("web", "certificate", "--folder", folder, "--show", "--json").json == made


def test_the_authority_s_key_is_discarded_if_asked_and_then_nothing_is_renewed(facesecure, folder):
    made = facesecure("web", "certificate", "--folder", folder, "--discard-authority-key", "--json").json
    assert made["renewable"] is False
    assert not (folder / "authority.key").exists()
    refused = facesecure("web", "certificate", "--folder", folder)
    assert (refused.code, "--new-authority" in refused.err) == (2, True)


def test_the_authority_is_written_where_it_is_wanted_without_its_key(facesecure, folder, tmp_path):
    out = tmp_path / "authority.pem"
    facesecure("web", "certificate", "--folder", folder, "--authority-out", out)
    assert out.read_bytes() == (folder / "authority.pem").read_bytes()
    assert b"PRIVATE" not in out.read_bytes()


def test_a_folder_that_cannot_be_written_is_no_traceback(facesecure, tmp_path):
    (tmp_path / "web").write_text("a file")
    outcome = facesecure("web", "certificate", "--folder", tmp_path / "web" / "inner")
    assert (outcome.code, "cannot write the certificate" in outcome.err) == (2, True)
