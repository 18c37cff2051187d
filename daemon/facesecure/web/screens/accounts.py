"""Accounts and devices: one's own, and for owners everybody's, with links for new ones and tokens for live pictures."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from facesecure.web.daemon import DaemonRefused
from facesecure.web.passkeys import passkeys_here
from facesecure.web.request import ask, learn_who, redirect, render, sign_in_redirect

PATH = "/accounts"
DONE = {
    "role-changed": "The role was changed. The account has to sign in again.",
    "account-removed": "The account was removed.",
    "device-signed-out": "That browser was signed out.",
    "password-changed": "The password was changed. Other browsers were signed out.",
    "language-changed": "The language was changed.",
    "token-revoked": "The address shows nothing any more.",
}
_OWNER = "owner"
_FORMS = ("invite", "role", "reset", "remove", "token", "password")


async def show(request: Request) -> Response:
    """Show one's devices; to owners every account, with its devices and tokens."""
    if not (await learn_who(request)).role:
        return sign_in_redirect(request)
    return await _page(request)


async def invite(request: Request) -> Response:
    """Show the one-time link of a new account, once."""
    form = await request.form()
    return await _link(request, "invite", {"name": _text(form, "name"), "role": _text(form, "role")}, form)


async def reset(request: Request) -> Response:
    """Show the one-time link with which somebody chooses a new password, once."""
    form = await request.form()
    return await _link(request, "reset", {"name": _text(form, "name")}, form)


async def change_role(request: Request) -> Response:
    """Give an account another role."""
    form = await request.form()
    asked = {"name": _text(form, "name"), "role": _text(form, "role")}
    return await _done(request, "role", "change-role", asked, "role-changed", form)


async def remove(request: Request) -> Response:
    """Remove an account."""
    form = await request.form()
    return await _done(request, "remove", "remove-account", {"name": _text(form, "name")}, "account-removed", form)


async def end(request: Request) -> Response:
    """Sign a browser out."""
    form = await request.form()
    asked = {"identifier": _text(form, "identifier")}
    return await _done(request, "end", "end-session", asked, "device-signed-out", form)


async def change_password(request: Request) -> Response:
    """Change one's password."""
    form = await request.form()
    if _text(form, "new") != _text(form, "again"):
        return await _page(request, 400, differ=True)
    asked = {"old": _text(form, "old"), "new": _text(form, "new")}
    return await _done(request, "password", "change-password", asked, "password-changed", form)


async def change_language(request: Request) -> Response:
    """Keep the language of the account."""
    form = await request.form()
    asked = {"language": _text(form, "language")}
    return await _done(request, "language", "set-language", asked, "language-changed", form)


async def make_token(request: Request) -> Response:
    """Show the addresses that a new token opens, once."""
    form = await request.form()
    cameras = [str(one)[:64] for one in form.getlist("cameras")]
    try:
        made = (await ask(request, "live-token-make", {"name": _text(form, "name"), "cameras": cameras})).result
    except DaemonRefused as refused:
        return await _refused(request, "token", refused, form)
    here = _here(request)
    addresses = [f"{here}/live/{camera}.jpg?token={made['token']}" for camera in made["shows"]]
    return render(
        request, "accounts_token.html", {"name": made["name"], "addresses": [_drawn(one) for one in addresses]}
    )


async def revoke_token(request: Request) -> Response:
    """Make a token worthless."""
    form = await request.form()
    asked = {"identifier": _text(form, "identifier")}
    return await _done(request, "token", "live-token-revoke", asked, "token-revoked", form)


async def _page(request: Request, status: int = 200, **wrong: Any) -> Response:
    """Show the screen; ``wrong``: the form whose ``refusal`` is shown, and what was typed."""
    who = await learn_who(request)
    verb = "accounts" if who.role == _OWNER else "devices"
    found = (await ask(request, verb)).result
    owners = {"accounts": [], "tokens": [], "cameras": [], "problems": [], **found}
    mine = next((one for one in owners["accounts"] if one["name"] == who.account), found)
    passkeys = {"passkeys": mine.get("passkeys", []), "passkeys_possible": (await passkeys_here(request))["possible"]}
    values = {"form": "", "refused": None, "typed": {}, "differ": False, **wrong}
    shown = {**owners, "devices": mine.get("devices", []), **passkeys, **values}
    return render(request, "accounts.html", shown, status=status)


async def _done(
    request: Request, form: str, verb: str, arguments: dict[str, Any], done: str, typed: FormData
) -> Response:
    """Ask ``verb`` and report ``done``, or show the screen again with what is wrong in ``form``."""
    try:
        await ask(request, verb, arguments)
    except DaemonRefused as refused:
        return await _refused(request, form, refused, typed)
    return redirect(request, PATH, done=done)


async def _link(request: Request, form: str, arguments: dict[str, Any], typed: FormData) -> Response:
    verb = "invite" if form == "invite" else "reset-account"
    try:
        made = (await ask(request, verb, arguments)).result
    except DaemonRefused as refused:
        return await _refused(request, form, refused, typed)
    address = f"{_here(request)}/invitation?code={made['code']}"
    return render(request, "accounts_link.html", {**made, "link": _drawn(address)})


async def _refused(request: Request, form: str, refused: DaemonRefused, typed: FormData) -> Response:
    if refused.kind not in ("invalid", "limited", "busy", "failed") or form not in _FORMS:
        raise refused
    values = {"name": _text(typed, "name"), "role": _text(typed, "role")}
    return await _page(request, 400, form=form, refused=refused, typed=values)


def _here(request: Request) -> str:
    """Return how this browser reaches the page; the host was checked before any screen was asked."""
    return f"{request.url.scheme}://{request.headers['host']}"


def _drawn(address: str) -> dict[str, str]:
    """Return an address with its QR code, a picture in a data URI."""
    import segno  # only where it is needed: the process is to stay small

    picture = segno.make(address, micro=False, error="m").svg_data_uri(scale=6, border=4, light="#fff")
    return {"address": address, "picture": picture}


def _text(form: FormData, name: str) -> str:
    found = form.get(name, "")
    return found[:400] if isinstance(found, str) else ""


ROUTES = [
    Route(PATH, show),
    Route(f"{PATH}/invite", invite, methods=["POST"]),
    Route(f"{PATH}/reset", reset, methods=["POST"]),
    Route(f"{PATH}/role", change_role, methods=["POST"]),
    Route(f"{PATH}/remove", remove, methods=["POST"]),
    Route(f"{PATH}/end", end, methods=["POST"]),
    Route(f"{PATH}/password", change_password, methods=["POST"]),
    Route(f"{PATH}/language", change_language, methods=["POST"]),
    Route(f"{PATH}/tokens", make_token, methods=["POST"]),
    Route(f"{PATH}/tokens/revoke", revoke_token, methods=["POST"]),
]
