"""The household's certificate authority, for phones to install: public, and all that is served before anybody signs in.

Whether it is the household's own, people compare by its SHA-256, which ``facesecure web certificate --show`` prints.
"""

from __future__ import annotations

import re
import ssl
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from facesecure.web.page import page_of

_CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_OURS = b"facesecure of "
"""How the name of each authority begins that ``facesecure web certificate`` makes."""


def household_authority(chain: Path | None) -> bytes | None:
    """Return the household's authority (DER) behind the page's certificate in ``chain``, None if it has another."""
    if chain is None:
        return None
    _, *authorities = _CERTIFICATE.findall(chain.read_text(encoding="ascii", errors="replace"))
    ours = [der for der in map(ssl.PEM_cert_to_DER_cert, authorities) if _OURS in der]
    return ours[0] if ours else None


async def authority(request: Request) -> Response:
    """Answer with the authority's certificate, as Android and iOS take it."""
    certificate = page_of(request).authority
    if certificate is None:
        raise HTTPException(404)
    return Response(
        certificate,
        media_type="application/x-x509-ca-cert",
        headers={"Content-Disposition": 'attachment; filename="facesecure.crt"', "Cache-Control": "no-cache"},
    )


ROUTES = [Route("/authority.crt", authority)]
