"""A Cast device as a process: ``python -m support.cast.standalone --name Kitchen --port 8009``.

Prints its address first, then each step as it happens, one JSON object a line; ends with SIGTERM.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import threading
import uuid

from support.cast.mdns import advertised
from support.cast.receiver import cast_device


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", default="Kitchen")
    parser.add_argument("--identifier", type=uuid.UUID, default=uuid.uuid4())
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--play-seconds", type=float, default=1.0)
    parser.add_argument("--mdns", action="store_true", help="be found on the loopback")
    asked = parser.parse_args()
    end = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: end.set())
    # without a certificate: one started anew in its place has to be the same device
    script = {"name": asked.name, "identifier": asked.identifier, "play_seconds": asked.play_seconds, "key": ""}
    with cast_device(asked.host, asked.port, **script) as device, contextlib.ExitStack() as stack:
        if asked.mdns:
            stack.enter_context(advertised(device.script, asked.host, device.port))
        print(json.dumps({"address": device.address, "uuid": str(asked.identifier)}), flush=True)
        printed = 0
        while not end.wait(0.05):
            for step, seconds in device.diary.events[printed:]:
                printed += 1
                entry = {"step": step, "seconds": round(seconds, 3), "volume": device.script.volume}
                print(json.dumps(entry | {"muted": device.script.muted}), flush=True)


if __name__ == "__main__":
    main()
