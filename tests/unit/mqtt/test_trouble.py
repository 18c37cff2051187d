"""What is wrong with the broker is said in words that help: by the connection, and by the doctor."""

from __future__ import annotations

import time

import pytest

from facesecure.config.mqtt import MqttConfig
from facesecure.mqtt.connection import Connection
from facesecure.services.broker import probe
from facesecure.services.diagnostics.mqtt import mqtt as check
from facesecure.services.diagnostics.result import CheckContext, Health
from support.mqtt.broker import running_broker
from support.mqtt.household import config_on
from support.ports import free_port
from support.tls import Authority


def section(port: int, **others: object) -> MqttConfig:
    return config_on(port, **others).mqtt


def trouble_of(config: MqttConfig) -> str:
    """Return what a connection says is wrong, which is what the doctor says as well."""
    connection = Connection(config)
    connection.start()
    deadline = time.monotonic() + 10
    while connection.trouble is not None and "yet" in connection.trouble.message and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    connection.leave()
    connection.close()
    found = probe(config)
    assert (found and found.message) == (connection.trouble and connection.trouble.message)
    return found.message if found else ""


def test_a_wrong_password_is_named_and_the_right_one_works(tmp_path):
    with running_broker(tmp_path, users=(("pi", "right"),)) as broker:
        for protocol in ("5", "3.1.1"):
            wrong = section(broker.port, user="pi", password="wrong", protocol=protocol)
            assert trouble_of(wrong) == "the MQTT broker 127.0.0.1 refuses the user or password"
        assert "refuses the user or password" in trouble_of(section(broker.port))
        assert trouble_of(section(broker.port, user="pi", password="right")) == ""
        assert trouble_of(section(broker.port, user="pi", password="right", protocol="3.1.1")) == ""


def test_a_broker_that_is_not_there_is_named():
    port = free_port()
    assert trouble_of(section(port)) == f"the MQTT broker 127.0.0.1:{port} is not reachable: Connection refused"
    assert trouble_of(section(port, host="nowhere.invalid")) == "there is no host nowhere.invalid"


@pytest.mark.filterwarnings("ignore:Exception ignored in. <ssl.SSLSocket")  # paho's, of a handshake that failed
def test_certificates_are_checked_on_both_sides(tmp_path):
    (tmp_path / "ours").mkdir()
    (tmp_path / "others").mkdir()
    authority, other = Authority(tmp_path / "ours"), Authority(tmp_path / "others")
    authority.context()
    server = next((tmp_path / "ours").glob("127.0.0.1-*.pem"))
    other.context()
    foreign = next((tmp_path / "others").glob("127.0.0.1-*.pem"))
    lines = (f"cafile {authority.root}", f"certfile {server}", f"keyfile {server}", "require_certificate true")
    with running_broker(tmp_path / "broker", *lines) as broker:
        right = {"ca": authority.root, "certificate": server, "key": server}
        assert trouble_of(section(broker.port, **right)) == ""
        assert "is not accepted: " in trouble_of(section(broker.port, **{**right, "ca": other.root}))
        assert "is not accepted: " in trouble_of(section(broker.port, **{**right, "host": "localhost"}))
        for certificate in ({}, {"certificate": foreign, "key": foreign}):
            found = trouble_of(section(broker.port, ca=authority.root, **certificate))
            assert "closes the connection before it takes us" in found
        assert "closes the connection before it takes us" in trouble_of(section(broker.port)), "without encryption"


def test_a_certificate_that_cannot_be_read_is_a_trouble_and_no_crash(tmp_path):
    (tmp_path / "ca.pem").write_text("no certificate")
    config = section(free_port(), ca=tmp_path / "ca.pem")
    connection = Connection(config)
    connection.start()
    assert connection.trouble is not None
    assert "cannot be used" in connection.trouble.message
    assert str(tmp_path / "ca.pem") in connection.trouble.hint
    connection.close()
    assert probe(config) == connection.trouble


def test_the_doctor_checks_the_broker_only_where_it_is_in_use(tmp_path):
    port = free_port()
    (failed,) = check(CheckContext(config_on(port), None, tmp_path))
    assert failed.health is Health.FAIL
    assert failed.remedy == "start the broker, or correct host and port in [mqtt]"
    assert list(check(CheckContext(config_on(port, enabled=False), None, tmp_path))) == []
    with running_broker(tmp_path) as broker:
        (fine,) = check(CheckContext(config_on(broker.port), None, tmp_path))
        assert fine.health is Health.OK


@pytest.mark.parametrize("host", ["", "a b", "x" * 64, "a..b", "bröker", "::g", "a/b", "host:1883"])
def test_hosts_that_can_be_none_are_refused(host):
    with pytest.raises(ValueError, match="must be a name"):
        MqttConfig(host=host)


@pytest.mark.parametrize("host", ["broker.local", "192.168.1.5", "::1", "core-mosquitto", "my_broker."])
def test_hosts_are_taken(host):
    assert MqttConfig(host=host).host == host


@pytest.mark.parametrize("code", ["None", "12345", "1" * 17, "12345a", "１２３４５６", ""])
def test_a_code_has_digits_and_enough_of_them(code):
    with pytest.raises(ValueError, match="disarm_code"):
        MqttConfig(disarm_code=code)
