"""``facesecure web setup`` and ``facesecure web accounts``: who may use the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from facesecure.cli import output
from facesecure.cli.output import Json, examples, group
from facesecure.cli.prompts import Yes, confirm
from facesecure.cli.settings import open_store, settings_of
from facesecure.domain.accounts import Role

if TYPE_CHECKING:
    from facesecure.config import FacesecureConfig
    from facesecure.services.accounts import OneTimeLink
    from facesecure.storage.store import Store

accounts = group(
    "Who may use the page: list, invite, remove, set a new password, sign out.",
    "facesecure web accounts list",
    "facesecure web accounts invite Ben --role member",
    "facesecure web accounts reset Ben",
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="The account; upper and lower case are the same.")]
Address = Annotated[
    str | None,
    typer.Option(metavar="URL", help="The page's address in the link. Default: its name and port, as [web] has them."),
]


def setup(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Your name on the page.")] = "owner",
    address: Address = None,
    json: Json = False,
) -> None:
    """Make the first account of the page: an owner, who may do everything.

    Prints a link and its QR code, which work once within 15 minutes: open it on your phone and choose a password. The
    daemon may run or not; the page needs it.
    """
    from facesecure.services.accounts import set_up

    config = settings_of(context).config()
    with open_store(config) as store:
        link = set_up(store, name)
    _show(link, config, address, json)


@accounts.command("list", epilog=examples("facesecure web accounts list", "facesecure web accounts list --json"))
def list_accounts(context: typer.Context, json: Json = False) -> None:
    """List the accounts of the page, with their roles and the browsers in which they are signed in."""
    with settings_of(context).store() as store:
        documents = _documents(store)
        problems = store.page.accounts.problems()
    if json:
        output.emit_json({"accounts": documents, "problems": problems})
    elif documents:
        columns = ("name", "role", "created_at", "password", "devices", "used_at")
        rows = [tuple(one[key] for key in columns) for one in documents]
        shown = [(*row[:3], "set" if row[3] else "not set", *row[4:]) for row in rows]
        output.table(("name", "role", "created", "password", "devices", "last used"), shown, right=("devices",))
    else:
        output.note("the page has no account yet; make the first one: facesecure web setup")
    for problem in problems:
        output.note(f"warning: {problem}")


@accounts.command(
    "invite",
    epilog=examples(
        "facesecure web accounts invite Ben --role member",
        "facesecure web accounts invite 'hall tablet' --role kiosk",
        "facesecure web accounts invite Ben --json",
    ),
)
def invite(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name of the new account.")],
    role: Annotated[
        Role,
        typer.Option(
            help="kiosk shows cameras and arms; viewer also sees visits and people; member also disarms, names and "
            "corrects; owner may do everything."
        ),
    ] = Role.MEMBER,
    address: Address = None,
    json: Json = False,
) -> None:
    """Make a one-time link for a new account: whoever opens it within 15 minutes chooses its password."""
    from facesecure.services.accounts import invite

    config = settings_of(context).config()
    with open_store(config) as store:
        link = invite(store, name, role)
    _show(link, config, address, json)


@accounts.command("reset", epilog=examples("facesecure web accounts reset Ben", "facesecure web accounts reset Ben -y"))
def reset(context: typer.Context, name: Name, address: Address = None, yes: Yes = False, json: Json = False) -> None:
    """Make an account's password void, and a one-time link that sets another. It is signed out everywhere."""
    from facesecure.services.accounts import require, reset

    config = settings_of(context).config()
    with open_store(config) as store:
        account = require(store, name)
        confirm(f"Make the password of {account.name} void", yes)
        link = reset(store, account.name)
    _show(link, config, address, json)


@accounts.command(
    "remove", epilog=examples("facesecure web accounts remove Ben", "facesecure web accounts remove Ben --yes")
)
def remove(context: typer.Context, name: Name, yes: Yes = False, json: Json = False) -> None:
    """Remove an account. It is signed out everywhere within a second. The last owner cannot be removed."""
    from facesecure.services.accounts import remove

    with settings_of(context).store() as store:
        confirm(f"Remove the account {name}", yes)
        remove(store, name)
    output.emit_json({"removed": name}) if json else output.say(f"the account {name} is removed")


@accounts.command("sign-out", epilog=examples("facesecure web accounts sign-out Ben"))
def sign_out(context: typer.Context, name: Name, json: Json = False) -> None:
    """Sign an account out in every browser, within a second; its password stays."""
    from facesecure.services.accounts import sign_out

    with settings_of(context).store() as store:
        ended = sign_out(store, name)
    if json:
        output.emit_json({"account": name, "ended": ended})
    else:
        output.say(f"{name} is signed out in {ended} browser{'' if ended == 1 else 's'}")


def _documents(store: Store) -> list[dict[str, Any]]:
    sessions = store.page.sessions.all()
    return [
        {
            "name": account.name,
            "role": account.role.value,
            "created_at": account.created_at,
            "password": bool(account.password),
            "devices": len(theirs := [one for one in sessions if one.account == account.name]),
            "used_at": max((one.used_at or one.began_at for one in theirs), default=None),
        }
        for account in store.page.accounts.all()
    ]


def _show(link: OneTimeLink, config: FacesecureConfig, address: str | None, json: bool) -> None:
    from facesecure.services.page_address import link_address, page_address

    opened, invitation = link_address(address or page_address(config.web), link.code), link.invitation
    if json:
        output.emit_json(
            {
                "name": invitation.name,
                "role": invitation.role.value,
                "link": opened,
                "expires_at": invitation.expires_at,
                "replaces": link.replaces,
            }
        )
        return
    from facesecure.cli.qr import qr_code

    output.note(f"{invitation.name}, {invitation.role.value}: open this within 15 minutes and choose a password")
    output.say(opened)
    output.note(qr_code(opened))
