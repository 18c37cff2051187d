"""Show the code of an invitation, and wait until its door has joined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facesecure.cli import output

if TYPE_CHECKING:
    from facesecure.hub.codes import JoinCode
    from facesecure.hub.managing import Manager

_LOOK_SECONDS = 1.0
"""Between two looks at the hub."""


def tell_code(code: JoinCode, name: str, qr: bool, json: bool) -> None:
    """Print the code for the door ``name``."""
    if json:
        output.emit_json({"code": code.text, "name": name, "door": code.invitation, "valid_minutes": 60})
        return
    output.say(code.text)
    if qr:
        from facesecure.cli.qr import qr_code

        output.say(qr_code(code.text))
    output.note(f"on {name}, within an hour: facesecure hub join CODE")


def wait_for(manager: Manager, code: JoinCode) -> None:
    """Let doors in until that of ``code`` has joined, whoever let it in: the daemon answers too.

    Where the connection is lost meanwhile, another is made. Raises HubError if the door has not joined when the code
    expires.
    """
    import time

    from facesecure.domain.errors import HubError, HubUnreachableError
    from facesecure.hub.managing import VALID

    until = time.monotonic() + VALID.total_seconds()
    lost = ""
    output.note("waiting for the door; Ctrl-C ends this, and a running daemon goes on")
    while time.monotonic() < until:
        try:
            told = {joined.door: joined.name for joined in manager.answer()}
            told |= {one.door: one.name for one in manager.doors() if one.door == code.invitation}
        except HubUnreachableError as error:
            told = {}
            if error.message != lost:
                output.note(f"{error.message}; trying again")
            lost = error.message
        for name in told.values():
            output.note(f"{name} has joined")
        if code.invitation in told:
            return
        time.sleep(_LOOK_SECONDS)
    raise HubError("the door has not joined, and its code has expired", "invite it again: facesecure hub invite")
