"""A client of the MQTT broker, and what is wrong where it does not get through, in words."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from facesecure.config.mqtt import MqttConfig
from facesecure.domain.errors import FacesecureError

if TYPE_CHECKING:
    from paho.mqtt.client import Client
    from paho.mqtt.reasoncodes import ReasonCode

_CONNECT_SECONDS = 5.0
_KEEPALIVE = 30
_LARGEST_PACKET = 4096
"""Bytes of a message that the broker may send us."""
_LOGIN = {"Bad user name or password", "Not authorized"}

_paho_log = logging.getLogger("facesecure.services.broker.paho")
_paho_log.addFilter(lambda record: str(record.msg).startswith("Caught exception"))  # the rest is a BrokerTrouble


@dataclass(frozen=True, slots=True)
class BrokerTrouble:
    """What is wrong with the connection, and what to do about it."""

    message: str
    hint: str


def new_client(config: MqttConfig, client_id: str) -> Client:
    """Return a client for the broker of ``config`` that has not connected.

    It reconnects after 1 to 60 seconds. Raises FacesecureError if a certificate or key cannot be read.
    """
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

    five = config.protocol == "5"
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id,
        protocol=MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311,
        clean_session=None if five else True,
    )
    client.reconnect_delay_set(1, 60)
    client.connect_timeout = _CONNECT_SECONDS
    client.suppress_exceptions = True  # an error in a callback must not end the thread of the connection
    client.enable_logger(_paho_log)
    if config.user is not None:
        client.username_pw_set(config.user, config.password)
    if config.encrypted:
        client.tls_set_context(_tls(config))
    return client


def connect(client: Client, config: MqttConfig, *, wait: bool = False) -> None:
    """Connect ``client``: at once with ``wait``, which raises OSError; else as soon as its loop runs."""
    properties = None
    if config.protocol == "5":
        from paho.mqtt.packettypes import PacketTypes
        from paho.mqtt.properties import Properties

        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.MaximumPacketSize = _LARGEST_PACKET
    clean: bool | Literal[3] = True if config.protocol == "5" else 3  # 3: paho's word for "as the protocol has it"
    (client.connect if wait else client.connect_async)(
        config.host, config.broker_port, _KEEPALIVE, clean_start=clean, properties=properties
    )


def _tls(config: MqttConfig) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=config.ca)
        if config.certificate is not None:
            context.load_cert_chain(config.certificate, config.key)
    except (OSError, ssl.SSLError) as error:
        files = ", ".join(str(one) for one in (config.ca, config.certificate, config.key) if one)
        message = f"the certificates for the MQTT broker cannot be used: {error}"
        raise FacesecureError(message, f"look at {files}: PEM files that facesecure may read") from error
    return context


def refused(config: MqttConfig, code: ReasonCode) -> BrokerTrouble:
    """Return the trouble that the broker names by refusing us with ``code``."""
    if str(code) in _LOGIN:
        message = f"the MQTT broker {config.host} refuses the user or password"
        return BrokerTrouble(message, "set user and password in [mqtt] as the broker has them")
    return BrokerTrouble(f"the MQTT broker {config.host} refuses the connection: {code}", "look into the broker's log")


def cut_off(config: MqttConfig) -> BrokerTrouble:
    """Return the trouble of a broker that hangs up without a word."""
    message = f"the MQTT broker {config.host}:{config.broker_port} closes the connection before it takes us"
    if config.encrypted:
        return BrokerTrouble(message, "if it wants a certificate of ours, set certificate and key in [mqtt]")
    return BrokerTrouble(message, "if it wants encryption, set tls = true in [mqtt]; its log says why")


def unreachable(config: MqttConfig, error: BaseException | None) -> BrokerTrouble:
    """Return the trouble that kept us from connecting."""
    where = f"{config.host}:{config.broker_port}"
    if isinstance(error, ssl.SSLCertVerificationError):
        message = f"the certificate of the MQTT broker {where} is not accepted: {error.verify_message}"
        return BrokerTrouble(message, "set ca in [mqtt] to the broker's authority, and host to the name it certifies")
    if isinstance(error, ssl.SSLError):
        why = error.reason or str(error)
        return BrokerTrouble(
            f"no encrypted connection to the MQTT broker {where}: {why}",
            "check the port, and whether the broker wants a certificate of ours",
        )
    if isinstance(error, socket.gaierror):
        return BrokerTrouble(f"there is no host {config.host}", "correct host in [mqtt]")
    why = (error.strerror if isinstance(error, OSError) and error.strerror else str(error or "")) or "no answer"
    message = f"the MQTT broker {where} is not reachable: {why}"
    return BrokerTrouble(message, "start the broker, or correct host and port in [mqtt]")


def probe(config: MqttConfig, seconds: float = 8.0) -> BrokerTrouble | None:
    """Connect once under another name. Return what is wrong, None if the broker takes us."""
    try:
        client = new_client(config, f"{config.client[:56]}-doctor")
    except FacesecureError as error:
        return BrokerTrouble(error.message, error.hint or "")
    answered, codes = threading.Event(), list["ReasonCode"]()

    def on_connect(*arguments: object) -> None:
        codes.append(arguments[3])  # type: ignore[arg-type]  # by VERSION2 the fourth is the code
        answered.set()

    client.on_connect = on_connect
    client.on_disconnect = lambda *_: answered.set()  # without an answer
    try:
        connect(client, config, wait=True)
        client.loop_start()
        heard = answered.wait(seconds)
    except OSError as error:
        return unreachable(config, error)
    finally:
        client.disconnect()
        client.loop_stop()
    if not codes:
        return cut_off(config) if heard else unreachable(config, None)
    return refused(config, codes[0]) if codes[0].is_failure else None
