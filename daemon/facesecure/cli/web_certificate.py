"""``facesecure web certificate``: an authority of the household, and the page's certificate that it signs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facesecure.cli import output
from facesecure.cli.output import Json
from facesecure.cli.settings import settings_of

if TYPE_CHECKING:
    from facesecure.services.certificates.folder import Certificates
    from facesecure.services.certificates.names import Names

_FOLDER = Path("/etc/facesecure/web")


def certificate(
    context: typer.Context,
    name: Annotated[
        list[str] | None,
        typer.Option(
            "--name",
            metavar="NAME",
            help="A host name or address by which browsers reach the page; may be repeated. Default: this machine's "
            "name, the same with .local, its addresses at home, and [web] hosts.",
        ),
    ] = None,
    show: Annotated[
        bool, typer.Option("--show", help="Show the certificate that there is, and change nothing.")
    ] = False,
    new_authority: Annotated[
        bool, typer.Option("--new-authority", help="Make a new authority, which every phone has to install again.")
    ] = False,
    discard_authority_key: Annotated[
        bool,
        typer.Option(
            "--discard-authority-key",
            help="Remove the authority's key after signing: nobody can misuse it, but a renewal needs a new authority.",
        ),
    ] = False,
    authority_out: Annotated[
        Path | None,
        typer.Option(
            "--authority-out", metavar="FILE", help="Write the authority's certificate, for phones to install."
        ),
    ] = None,
    folder: Annotated[Path, typer.Option("--folder", metavar="DIR", help="Where the certificates are.")] = _FOLDER,
    json: Json = False,
) -> None:
    """Make or renew the page's certificate.

    The first time, this makes a certificate authority for your household. Phones that install it trust this machine's
    page without a warning, and no other site: it may sign for the names given and nothing else. The page's certificate
    is for 397 days; run this again to renew it, with the same authority.
    """
    from facesecure.services.certificates import folder as certificates

    outside: tuple[str, ...] = ()
    known = certificates.has_authority(folder) and not new_authority
    if not show:
        names, outside = _names(context, folder, name, new_authority)
        _issue(folder, names, new_authority)
    if discard_authority_key:
        certificates.discard_authority_key(folder)
    found = _existing(folder)
    if authority_out is not None:
        _write(authority_out, certificates.authority_pem(folder))
    if json:
        output.emit_json(_document(found, outside))
        return
    _report(found, outside)
    if not show:
        _next_steps(context, found, known)


def _existing(folder: Path) -> Certificates:
    from facesecure.domain.errors import UsageError
    from facesecure.services.certificates.folder import read

    if (found := read(folder)) is None:
        raise UsageError(f"there is no certificate in {folder}", "make one: sudo facesecure web certificate")
    return found


def _names(
    context: typer.Context, folder: Path, given: list[str] | None, new_authority: bool
) -> tuple[Names, tuple[str, ...]]:
    """Return the names to sign for, and those of this machine that the authority there may not sign for."""
    from facesecure.services.certificates.folder import within
    from facesecure.services.certificates.names import Names, names_of_this_machine

    if given:
        return Names.of(given), ()
    wanted = Names.of([*names_of_this_machine().texts(), *settings_of(context).config().web.hosts])
    return (wanted, ()) if new_authority else within(folder, wanted)


def _issue(folder: Path, names: Names, new_authority: bool) -> None:
    from facesecure.domain.errors import UsageError
    from facesecure.services.certificates.folder import issue

    try:
        issue(folder, names, new_authority=new_authority)
    except OSError as error:
        raise UsageError(
            f"cannot write the certificate to {folder}: {error.strerror}", "use sudo, or choose another: --folder DIR"
        ) from error


def _write(path: Path, content: bytes) -> None:
    from facesecure.cli.files import replacing

    with replacing(path, binary=True) as file:
        file.write(content)


def _document(found: Certificates, outside: tuple[str, ...]) -> dict[str, Any]:
    both = {"certificate": found.machine, "authority": found.authority}
    documents = {
        what: {"names": one.names, "until": one.until, "sha256": one.fingerprint} for what, one in both.items()
    }
    return {**documents, "renewable": found.renewable, "outside": outside}


def _report(found: Certificates, outside: tuple[str, ...]) -> None:
    output.say(f"certificate for {', '.join(found.machine.names)}, until {output.local(found.machine.until)}")
    output.say(f"authority SHA-256 {found.authority.fingerprint}, until {output.local(found.authority.until)}")
    if not found.renewable:
        output.note("its key was discarded: the certificate cannot be renewed, only replaced with --new-authority")
    for name in outside:
        output.note(f"not for {name}: the authority may not sign for it; to change that: --new-authority")


def _next_steps(context: typer.Context, found: Certificates, known: bool) -> None:
    """Say how the page takes the certificate and, where the authority is new, how phones do."""
    from facesecure.cli.qr import qr_code

    if known:
        output.note("the page takes it when it starts next: sudo systemctl stop facesecure-web.service")
        return
    address = f"https://{found.machine.names[0]}:{settings_of(context).config().web.port}/authority.crt"
    output.note("\nopen the page: sudo systemctl enable --now facesecure-web.socket")
    output.note(f"on each phone, once, install the authority from {address}")
    output.note("the browser warns until then; before you trust it, compare the SHA-256 above with the phone's\n")
    output.note(qr_code(address))
