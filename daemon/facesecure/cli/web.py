"""``facesecure web``: the page for phones and browsers."""

from __future__ import annotations

from facesecure.cli import web_certificate
from facesecure.cli.output import examples, group

app = group(
    "The page for phones and browsers: its certificate, its accounts. docs/page.md explains how to set it up.",
    "facesecure web certificate",
)

app.command(
    "certificate",
    epilog=examples(
        "sudo facesecure web certificate",
        "sudo facesecure web certificate --name raspberrypi.local --name 192.168.1.20",
        "facesecure web certificate --show",
    ),
)(web_certificate.certificate)
