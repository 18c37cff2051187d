"""A QR code in the terminal, for a phone to read."""

from __future__ import annotations

import io


def qr_code(text: str) -> str:
    """Return ``text`` as a QR code of block characters, light on dark as on most terminals.

    Example::

        output.say(qr_code("https://raspberrypi.local:8443/"))
    """
    import segno

    drawn = io.StringIO()
    segno.make(text, micro=False, error="m").terminal(out=drawn, border=2, compact=True)
    return drawn.getvalue().rstrip("\n")
