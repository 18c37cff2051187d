"""Serve the page's own files at addresses that change with their content, so that browsers may keep them for ever."""

from __future__ import annotations

import hashlib
from importlib.resources import files

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_FOLDER = files("facesecure.web").joinpath("static")
_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
    "ico": "image/x-icon",
}
_FOR_EVER = "public, max-age=31536000, immutable"


def _names() -> frozenset[str]:
    return frozenset(file.name for file in _FOLDER.iterdir() if file.name.rpartition(".")[2] in _TYPES)


NAMES = _names()
"""The files that are served. Nothing else of the disk can be asked for: a name is looked up here, never opened."""


def _version() -> str:
    """Return a hash of all files: one for all, so that a module finds the others beside it."""
    digest = hashlib.sha256()
    for name in sorted(NAMES):
        digest.update(name.encode() + b"\0" + _FOLDER.joinpath(name).read_bytes())
    return digest.hexdigest()[:12]


VERSION = _version()


def static(name: str) -> str:
    """Return the address of the file called ``name``. Raises KeyError if there is none: a mistake in a template."""
    if name not in NAMES:
        raise KeyError(f"there is no static file {name}")
    return f"/static/{VERSION}/{name}"


def content(name: str) -> bytes:
    """Return the file called ``name``. Raises KeyError if there is none."""
    if name not in NAMES:
        raise KeyError(f"there is no static file {name}")
    return _FOLDER.joinpath(name).read_bytes()


async def _serve(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in NAMES:
        raise HTTPException(404)
    kept = _FOR_EVER if request.path_params["version"] == VERSION else "no-cache"
    return Response(
        _FOLDER.joinpath(name).read_bytes(),
        media_type=_TYPES[name.rpartition(".")[2]],
        headers={"Cache-Control": kept, "Cross-Origin-Resource-Policy": "same-origin"},
    )


async def _favicon(request: Request) -> Response:  # noqa: ARG001 - Starlette passes it
    return Response(
        _FOLDER.joinpath("icon-32.png").read_bytes(),
        media_type="image/png",
        headers={"Cache-Control": "public, max-age=86400"},
    )


ROUTES = [Route("/static/{version}/{name}", _serve), Route("/favicon.ico", _favicon)]
