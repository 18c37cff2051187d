"""Passkeys in a browser: whether they are offered at this address, and what a browser sends of one."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request

from facesecure.web.daemon import DaemonRefused
from facesecure.web.request import ask

_LONGEST = 4096
_SIGNED = ("credential", "client_data", "authenticator_data", "signature", "user_handle")
_MADE = ("client_data", "attestation")


def origin_of(request: Request) -> str:
    """Return how this browser reaches the page, as it says so itself; the host was checked before any screen."""
    return f"{request.url.scheme}://{request.headers.get('host', '').lower()}"


async def passkeys_here(request: Request) -> dict[str, bool]:
    """Return whether browsers offer passkeys at this address (``possible``), and whether there are ``any``."""
    try:
        found = (await ask(request, "passkeys-here", {"origin": origin_of(request)})).result
    except DaemonRefused:  # the password still does
        return {"possible": False, "any": False}
    return {"possible": bool(found["possible"]), "any": bool(found["any"])}


def has_signed(form: FormData) -> bool:
    """Return whether a form was sent with a passkey in place of the password."""
    return bool(form.get("credential"))


def signed_in(form: FormData, request: Request) -> dict[str, Any]:
    """Return what the daemon is asked with about what a passkey signed."""
    return _parts(form, request, _SIGNED)


def made_in(form: FormData, request: Request) -> dict[str, Any]:
    """Return what the daemon is asked with about a passkey that a browser made."""
    return _parts(form, request, _MADE)


def _parts(form: FormData, request: Request, names: tuple[str, ...]) -> dict[str, Any]:
    found = {name: form.get(name, "") for name in names}
    texts = {name: value[: _LONGEST + 1] if isinstance(value, str) else "" for name, value in found.items()}
    return {"origin": origin_of(request), **texts}
