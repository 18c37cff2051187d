"""Check of the MQTT broker: whether it takes us."""

from __future__ import annotations

from collections.abc import Iterator

from facesecure.services.diagnostics.result import CheckContext, CheckResult, fail, ok, warn


def mqtt(context: CheckContext) -> Iterator[CheckResult]:
    """Connect to the broker, if [mqtt] is enabled."""
    config = context.config.mqtt
    if not config.enabled:
        return
    from facesecure.services.broker import probe

    if (trouble := probe(config)) is not None:
        yield fail("mqtt", trouble.message, trouble.hint)
        return
    yield ok("mqtt", f"connected to {config.host}:{config.broker_port}, topics below {config.base}")
    if not config.encrypted and config.host not in ("localhost", "127.0.0.1", "::1"):
        yield warn(
            "mqtt", "the connection is not encrypted: the network can read who comes", "set tls = true in [mqtt]"
        )
