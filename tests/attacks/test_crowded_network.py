"""Somebody announces hundreds of Cast devices that are none, and the family's speaker is still found."""

from __future__ import annotations

import contextlib
import socket
import time
import uuid
from collections.abc import Callable

from zeroconf import DNSOutgoing, DNSPointer, const

from facesecure_plugins.google_home.discovery import SERVICE, Browser
from support.cast.mdns import LOOPBACK, advertised
from support.cast.script import Script
from support.faults.table import attack

NAMES = 500
FOUND_WITHIN = 60.0
"""Seconds; asked one after another, the names would take 25 minutes."""


def announce_nothing(number: int) -> None:
    """Announce ``number`` names of devices by mDNS, with neither an address nor a text behind them."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(LOOPBACK))
        sender.bind((LOOPBACK, 0))
        for _ in range(number):
            answer = DNSOutgoing(const._FLAGS_QR_RESPONSE | const._FLAGS_AA)
            name = DNSPointer(SERVICE, const._TYPE_PTR, const._CLASS_IN, 120, f"{uuid.uuid4().hex}.{SERVICE}")
            answer.add_answer_at_time(name, 0)
            sender.sendto(answer.packets()[0], ("224.0.0.251", 5353))
            time.sleep(0.001)


@attack("crowd of Cast devices", how="500 names announced by mDNS behind which there is no device")
def test_a_speaker_is_found_in_a_crowd_of_names(saw: Callable[[str], None]) -> None:
    speaker = Script(name=f"Kitchen {uuid.uuid4().hex[:8]}", identifier=uuid.uuid4())
    with contextlib.closing(Browser([LOOPBACK])) as browser:
        browser.start()
        announce_nothing(NAMES)
        began = time.monotonic()
        with advertised(speaker, LOOPBACK, 8009) as record:
            record.move(LOOPBACK, 8010)  # which announces it, as a device does that is switched on
            found = browser.wait_for(lambda devices: any(one.name == speaker.name for one in devices), FOUND_WITHIN)
        assert speaker.name in {one.name for one in found}
    saw(f"found {time.monotonic() - began:.0f} s after it is switched on")
