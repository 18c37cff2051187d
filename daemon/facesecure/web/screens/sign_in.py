"""Sign in and out, open a one-time link, and give the password, or a passkey, again where it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from facesecure.web.again import carried_on, repeated
from facesecure.web.cookies import forget_token, keep_token
from facesecure.web.daemon import Answer, DaemonRefused
from facesecure.web.passkeys import has_signed, passkeys_here, signed_in
from facesecure.web.request import ask, learn_who, local_path, redirect, render, sign_in_redirect

DONE = {
    "signed-out": "Signed out.",
    "confirmed": "Thank you. Now you can do it; the password is not asked for again in the next ten minutes.",
}
_LONGEST = 200
_LONGEST_CODE = 100
_SHOWN_KINDS = ("invalid", "limited", "busy")
"""Refusals that are shown in the form, so that it can be sent again."""


async def ask_to_sign_in(request: Request) -> Response:
    """Show the form; whoever is signed in already goes on."""
    way = local_path(request.query_params.get("next"))
    session = (await ask(request, "session")).result
    if session["account"]:
        return redirect(request, way)
    passkeys = bool(session["accounts"]) and (await passkeys_here(request))["any"]
    return render(request, "sign_in.html", _form(way, accounts=session["accounts"], passkeys=passkeys))


async def sign_in(request: Request) -> Response:
    """Begin a session."""
    form = await request.form()
    way, name = local_path(_text(form, "next")), _text(form, "name")
    try:
        if has_signed(form):
            answer = await ask(request, "passkey-sign-in", signed_in(form, request))
        else:
            answer = await ask(request, "sign-in", {"name": name, "password": _text(form, "password")})
    except DaemonRefused as refused:
        passkeys = (await passkeys_here(request))["any"]
        return _again(request, "sign_in.html", refused, _form(way, name=name, passkeys=passkeys))
    return _signed_in(request, answer, way)


async def sign_out(request: Request) -> Response:
    """End this session, or every one of the account's."""
    form = await request.form()
    try:
        await ask(request, "sign-out", {"everywhere": _text(form, "everywhere") == "yes"})
    except DaemonRefused as refused:
        if refused.kind != "signed-out":
            raise
    response = redirect(request, "/sign-in", done="signed-out")
    forget_token(request, response)
    return response


async def open_invitation(request: Request) -> Response:
    """Show whom a one-time link is for, and ask for a password. Only sending the form uses the link."""
    code = request.query_params.get("code", "")[:_LONGEST_CODE]
    answer = await ask(request, "invitation", {"code": code or "-"})
    return render(request, "invitation.html", {**_chosen(code), **answer.result})


async def accept_invitation(request: Request) -> Response:
    """Take the password that was chosen, typed twice; or show what is typed, and ask again."""
    form = await request.form()
    code, password, again = (_text(form, name) for name in ("code", "password", "again"))
    invitation = (await ask(request, "invitation", {"code": code or "-"})).result
    shown = {**_chosen(code, password, again, shown=_text(form, "do") == "show"), **invitation}
    if shown["shown"]:
        return render(request, "invitation.html", shown)
    if password != again:
        return render(request, "invitation.html", {**shown, "differ": True}, status=400)
    try:
        answer = await ask(request, "accept-invitation", {"code": code, "password": password or "-"})
    except DaemonRefused as refused:
        return _again(request, "invitation.html", refused, shown)
    return _signed_in(request, answer, "/")


async def ask_to_confirm(request: Request) -> Response:
    """Ask for the password again, on the way to something that needs it."""
    if not (await learn_who(request)).role:
        return sign_in_redirect(request)
    passkeys = (await passkeys_here(request))["any"]
    way = local_path(request.query_params.get("next"))
    return render(request, "confirm.html", {**_form(way, passkeys=passkeys), "again": ()})


async def confirm(request: Request) -> Response:
    """Take the password or a passkey, and do what it was asked for; or go back to where that was."""
    form = await request.form()
    way = local_path(_text(form, "next"))
    try:
        if has_signed(form):
            await ask(request, "passkey-confirm", signed_in(form, request))
        else:
            await ask(request, "confirm", {"password": _text(form, "password") or "-"})
    except DaemonRefused as refused:
        await learn_who(request)
        passkeys = (await passkeys_here(request))["any"]
        shown = {**_form(way, passkeys=passkeys), "again": carried_on(form)}
        return _again(request, "confirm.html", refused, shown)
    return repeated(form) or redirect(request, way, done="confirmed")


def _form(way: str, name: str = "", *, accounts: bool = True, passkeys: bool = False) -> dict[str, Any]:
    """Return what the forms show; ``way``: where to go on. Nobody can sign in where there are no ``accounts``.

    ``passkeys``: whether there are any for this address.
    """
    return {"next": way, "name": name, "accounts": accounts, "passkeys": passkeys, "refused": None}


def _chosen(code: str, password: str = "", again: str = "", *, shown: bool = False) -> dict[str, Any]:
    values = {"code": code, "password": password, "again": again, "shown": shown}
    return {**values, "differ": False, "refused": None}


def _again(request: Request, template: str, refused: DaemonRefused, values: Mapping[str, Any]) -> Response:
    """Show the form again, and what was wrong."""
    if refused.kind not in _SHOWN_KINDS:
        raise refused
    return render(request, template, {**values, "refused": refused}, status=429 if refused.kind == "limited" else 400)


def _signed_in(request: Request, answer: Answer, way: str) -> Response:
    response = redirect(request, way)
    keep_token(request, response, answer.result["token"], int(answer.result["seconds"]))
    return response


def _text(form: FormData, name: str) -> str:
    """Return what was typed; the daemon says what is wrong with it."""
    found = form.get(name, "")
    return found[: 2 * _LONGEST] if isinstance(found, str) else ""


ROUTES = [
    Route("/sign-in", ask_to_sign_in),
    Route("/sign-in", sign_in, methods=["POST"]),
    Route("/sign-out", sign_out, methods=["POST"]),
    Route("/invitation", open_invitation),
    Route("/invitation", accept_invitation, methods=["POST"]),
    Route("/confirm", ask_to_confirm),
    Route("/confirm", confirm, methods=["POST"]),
]
