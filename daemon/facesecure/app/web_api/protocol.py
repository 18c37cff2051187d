"""Define the protocol of the page's socket: a line of JSON and a body of bytes, each way, once per connection.

A request is ``{"version": 1, "verb": NAME, "token": SESSION or null, "client": {"address": TEXT, "agent": TEXT},
"arguments": {...}, "body": BYTES}`` and then that many bytes. An answer is ``{"version": 1, "ok": true, "result":
{...}, "body": BYTES}`` and then that many bytes, or ``{"version": 1, "ok": false, "kind": one of ``Refusal``, "error":
MESSAGE, "hint": REMEDY or null, "field": NAME of the argument or null, "seconds": until a limit ends, or null}``.
"""

from __future__ import annotations

from enum import StrEnum

VERSION = 1
LANGUAGES = ("en", "fr")
"""The languages of the page."""
SOCKET_NAME = "web.sock"
SERVICE_SOCKET_DIR = "/run/facesecure-web"
"""The folder of the socket where facesecure runs as a service; tmpfiles makes it for the web process' group."""
LINE_LIMIT = 64 * 1024
BODY_LIMIT = 16 * 1024 * 1024
"""The most bytes after a request. Each verb allows fewer, most of them none."""
ANSWER_LINE_LIMIT = 4 * 1024 * 1024
ANSWER_BODY_LIMIT = 64 * 1024 * 1024


class Refusal(StrEnum):
    """Why a request was refused, for the page to act on."""

    SIGNED_OUT = "signed-out"  # no session: sign in
    FORBIDDEN = "forbidden"  # the role may not
    CONFIRM = "confirm"  # give the password again
    LIMITED = "limited"  # too many tries: wait ``seconds``
    INVALID = "invalid"  # an argument is wrong: ``field`` says which
    MISSING = "missing"  # there is no such visit, person, picture
    BUSY = "busy"  # the daemon is answering too much already
    FAILED = "failed"  # anything else: ``error`` and ``hint`` say what
