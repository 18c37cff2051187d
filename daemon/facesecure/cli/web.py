"""``facesecure web``: the page for phones and browsers."""

from __future__ import annotations

from facesecure.cli import web_accounts, web_certificate, web_serve
from facesecure.cli.output import examples, group

app = group(
    "The page for phones and browsers: its certificate, its accounts. docs/page.md explains how to set it up.",
    "facesecure web setup Anna",
    "facesecure web accounts invite Ben --role member",
    "facesecure web certificate",
)

app.command(
    "setup",
    epilog=examples(
        "facesecure web setup Anna",
        "facesecure web setup Anna --address https://home.example.org",
        "facesecure web setup Anna --json",
    ),
)(web_accounts.setup)
app.add_typer(web_accounts.accounts, name="accounts")
app.command(
    "certificate",
    epilog=examples(
        "facesecure web certificate",
        "facesecure web certificate --name raspberrypi.local --name 192.168.1.20",
        "facesecure web certificate --show",
    ),
)(web_certificate.certificate)
app.command(
    "serve",
    epilog=examples(
        "facesecure web serve",
        "facesecure web serve --host 0.0.0.0 --port 8443 --certificate server.pem --key server.key",
        "facesecure web serve --idle 5",
    ),
)(web_serve.serve)
