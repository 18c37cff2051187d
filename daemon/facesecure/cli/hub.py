"""``facesecure hub``: share people, arming and visits with other doors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facesecure.cli import hub_doors, output
from facesecure.cli.hub_doors import config_for_hub
from facesecure.cli.hub_invitation import tell_code, wait_for
from facesecure.cli.output import Json, examples, group
from facesecure.cli.prompts import Yes, ask_secret, confirm
from facesecure.cli.settings import state_of

if TYPE_CHECKING:
    from facesecure.hub.identity import Certificate, Identity

app = group(
    "Share people, arming and visits with other doors through a PostgreSQL database that cannot read them. "
    "docs/hub.md explains how to set it up.",
    "facesecure hub init postgresql://facesecure_admin@hub.lan/doors --ca /etc/facesecure/hub/ca.pem",
    "facesecure hub invite garage",
    "facesecure hub join ABCD-EFGH-...",
    "facesecure hub doors",
)
app.add_typer(hub_doors.app, name="doors")
_CA = "File of the authority that signed the database's TLS certificate, one certificate in PEM."
_RIGHTS = "enrol,arm,view"
_LEAVING = {
    True: "Forget the hub and its authority, without which no door can be added or removed",
    False: "Forget the hub on this door",
    None: "Forget the hub on this door, and its authority if this is the manager",
}
"""What is asked, by whether this door is the manager."""


@app.command(
    "init",
    epilog=examples(
        "facesecure hub init postgresql://facesecure_admin@hub.lan/doors --ca /etc/facesecure/hub/ca.pem",
        "facesecure hub init postgresql://facesecure_admin@hub.lan/doors --name 'front door' --json",
    ),
)
def init(
    context: typer.Context,
    url: Annotated[
        str,
        typer.Argument(
            metavar="DATABASE_URL",
            help="An empty PostgreSQL database, and an administrator who may create roles; used once. The password is "
            "asked for, or taken from PGPASSWORD.",
        ),
    ],
    name: Annotated[str, typer.Option(metavar="NAME", help="What this door is called.")] = "front door",
    household: Annotated[str, typer.Option(metavar="NAME", help="The household of this door.")] = "home",
    ca: Annotated[Path | None, typer.Option(metavar="FILE", help=f"{_CA} Default: the system's authorities.")] = None,
    json: Json = False,
) -> None:
    """Make a hub in a database. This door becomes its manager, which invites the others.

    The authority that signs the doors' certificates is kept in the state directory of this door: back it up, with the
    key. Without it no door can be added or removed.
    """
    config = config_for_hub(context)
    from facesecure.domain.names import name_at_hub
    from facesecure.hub.database import HubAddress
    from facesecure.hub.making import administrator_at, make, require_none

    require_none(state_of(config))
    door, home = name_at_hub(name, "door"), name_at_hub(household, "household")
    own = HubAddress("", certificate=config.hub.certificate, key=config.hub.key)
    administrator = administrator_at(url, own, _ask_password)
    authority = _authority(ca or config.hub.ca)
    identity = make(state_of(config), administrator, door, home, authority)
    _tell_settings(identity, json, {"door": door, "household": home})


@app.command(
    "invite",
    epilog=examples(
        "facesecure hub invite garage",
        "facesecure hub invite 'flat 3' --household 'flat 3' --rights view --wait",
        "facesecure hub invite garage --qr",
    ),
)
def invite(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the new door is called.")],
    household: Annotated[
        str | None, typer.Option(metavar="NAME", help="The household of the door. Default: the manager's.")
    ] = None,
    rights: Annotated[
        str,
        typer.Option(
            metavar="LIST",
            help="What the door may do, separated by commas: enrol changes people, arm changes the mode, view asks for "
            "faces of other doors' visits, share lets doors of other households know people of its own; none for "
            "nothing of that.",
        ),
    ] = _RIGHTS,
    qr: Annotated[bool, typer.Option("--qr", help="Show the code as a QR code, too.")] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait until the door has joined. Lets it in where the daemon does not run.")
    ] = False,
    json: Json = False,
) -> None:
    """Print a one-time code for a new door, which is valid for an hour. Run this on the manager.

    Whoever has the code can join once: hand it over as you would a key.
    """
    config = config_for_hub(context)
    from facesecure.domain.names import name_at_hub
    from facesecure.hub.access import opened
    from facesecure.hub.identity_file import member_identity
    from facesecure.hub.managing import Manager

    identity = member_identity(state_of(config))
    door, home = name_at_hub(name, "door"), None if household is None else name_at_hub(household, "household")
    with opened(identity, config.hub, state_of(config)) as store:
        manager = Manager(state_of(config), store)
        code = manager.invite(door, home, _rights(rights), _der(identity.ca))
        tell_code(code, door, qr, json)
        if wait:
            wait_for(manager, code)


@app.command("join", epilog=examples("facesecure hub join ABCD-EFGH-...", "facesecure hub join - < code.txt"))
def join(
    context: typer.Context,
    code: Annotated[
        str, typer.Argument(metavar="CODE", help="What facesecure hub invite printed; - reads it from stdin.")
    ],
    ca: Annotated[Path | None, typer.Option(metavar="FILE", help=f"{_CA} Default: the code's.")] = None,
    minutes: Annotated[
        float, typer.Option("--minutes", min=0, max=60, help="How long to wait for the manager's answer.")
    ] = 10.0,
    json: Json = False,
) -> None:
    """Join the doors of a hub with a one-time code. The manager answers as soon as it runs.

    What was interrupted can be repeated with the same code within its hour.
    """
    config = config_for_hub(context)
    import sys
    from dataclasses import replace
    from datetime import timedelta

    from facesecure.hub.codes import JoinCode
    from facesecure.hub.identity_file import read_identity
    from facesecure.hub.joining import Joining
    from facesecure.hub.joining import join as joined

    parsed = JoinCode.parsed(sys.stdin.read(8192) if code == "-" else code)
    if ca is not None:
        parsed = replace(parsed, ca=_der(_authority(ca)))
    joining = Joining(
        state_of(config), parsed, config.hub, timedelta(minutes=minutes),
        lambda: output.note("waiting for the manager to answer"),
    )  # fmt: skip
    certificate = joined(joining)
    _tell_settings(read_identity(state_of(config)), json, _certificate(certificate))


@app.command("leave", epilog=examples("facesecure hub leave", "facesecure hub leave --yes"))
def leave(context: typer.Context, yes: Yes = False, json: Json = False) -> None:
    """Forget the hub on this door: its keys and its password. People that came through the hub stay.

    Remove the door on the manager, too. If this is the manager, no door can ever be added or removed again.
    """
    config = config_for_hub(context)
    from facesecure.hub.identity_file import remove_identity
    from facesecure.services.audit import audited

    belongs, manages = _membership(state_of(config))
    confirm(_LEAVING[manages], yes)
    with audited(state_of(config), "hub-left"):
        remove_identity(state_of(config))
    if json:
        output.emit_json({"left": belongs, "manager": manages})
        return
    output.say("this door belongs to no hub now")
    output.note("hint: remove database from [hub], restart facesecure, and remove the door on the manager")


@app.command("upgrade", epilog=examples("facesecure hub upgrade postgresql://facesecure_admin@hub.lan/doors"))
def upgrade(
    context: typer.Context,
    url: Annotated[str, typer.Argument(metavar="DATABASE_URL", help="The hub's database, and its administrator.")],
    json: Json = False,
) -> None:
    """Bring the hub's database to this version of facesecure. Upgrade the doors first, or soon after."""
    config = config_for_hub(context)
    from facesecure.hub.identity_file import address_of, read_identity
    from facesecure.hub.making import administrator_at
    from facesecure.hub.roles import upgrade_hub

    own = address_of(read_identity(state_of(config)), config.hub, state_of(config))
    revision = upgrade_hub(administrator_at(url, own, _ask_password))
    if json:
        output.emit_json({"revision": revision})
    else:
        output.say(f"the hub's database is at revision {revision}")


@app.command("status", epilog=examples("facesecure hub status", "facesecure hub status --json"))
def status(context: typer.Context, json: Json = False) -> None:
    """Show whether the hub can be reached, and what is open there: invitations, people whom doors have yet to wipe."""
    config = config_for_hub(context)
    from facesecure.hub.overview import overview

    found = overview(config.hub, state_of(config))
    if json:
        output.emit_json(found)
        return
    output.say(f"{found.name}, {'manager' if found.manager else 'door'} of {found.doors} doors at {found.url}")
    for line in found.lines:
        output.say(line)


def _membership(state_dir: Path) -> tuple[bool, bool | None]:
    """Return whether this door belongs to a hub, and whether as its manager: None where its identity is unreadable."""
    from facesecure.domain.errors import StoreError
    from facesecure.hub.identity_file import find_identity

    try:
        identity = find_identity(state_dir)
    except StoreError as error:  # a door whose key is lost has to leave before it can join again
        output.note(f"warning: {error.message}")
        return True, None
    return identity is not None, identity is not None and identity.is_manager


def _ask_password() -> str | None:
    return ask_secret("Password of the administrator", "PGPASSWORD")


def _rights(text: str) -> Any:
    from facesecure.domain.errors import UsageError
    from facesecure.hub.rows import Right

    words = [word.strip() for word in text.split(",") if word.strip() not in ("", "none")]
    try:
        return frozenset(Right(word) for word in words)
    except ValueError:
        raise UsageError(f"{text!r} are not rights of a door", f"some of {_RIGHTS},share, or none") from None


def _authority(path: Path | None) -> str:
    """Return the one certificate in the file ``path``, as PEM; empty for None."""
    from facesecure.domain.errors import UsageError
    from facesecure.util.paths import expanded, read_text

    if path is None:
        return ""
    try:
        text = read_text(expanded(path))
        _der(text)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not one certificate in PEM"
        raise UsageError(f"{path} cannot be used: {why}", "give the certificate of the authority alone") from error
    return text


def _der(text: str) -> bytes:
    """Return the certificate of a PEM text as DER; nothing for an empty text. Raises ValueError."""
    if not text:
        return b""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    (certificate,) = x509.load_pem_x509_certificates(text.encode())
    return certificate.public_bytes(Encoding.DER)


def _tell_settings(identity: Identity, json: bool, facts: dict[str, Any]) -> None:
    if json:
        output.emit_json({**facts, "database": identity.url, "manager": identity.is_manager})
        return
    output.say(f'[hub]\ndatabase = "{identity.url}"')
    output.note("write these lines into the configuration file, then: sudo systemctl restart facesecure")


def _certificate(certificate: Certificate) -> dict[str, Any]:
    return {"door": certificate.name, "id": certificate.door, "rights": sorted(certificate.rights)}
