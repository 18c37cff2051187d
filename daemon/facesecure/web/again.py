"""Do again what was refused until the password is given: the form is carried through the page that asks for it.

Who presses Off, and gives the password, has then disarmed: they need not find the button again.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote, urlencode

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from facesecure.web.request import is_partial, local_path

ACTION = "again"
"""The field with the path that the form was sent to; its fields have names that begin with it and a dot."""
_FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 100
_MOST_TEXT = 32 * 1024
_NEVER = ("/confirm", "/sign-in")

Fields = list[tuple[str, str]]


async def carried(request: Request) -> Fields | None:
    """Return the hidden fields that carry the form of ``request``; None if it has none, or one with files."""
    if request.method != "POST" or is_partial(request):
        return None
    if not request.headers.get("content-type", "").startswith(_FORM):
        return None
    path = request.scope["raw_path"].decode("ascii")
    fields = [(f"{ACTION}.{name}", value) for name, value in (await request.form()).multi_items()]
    return _checked([(ACTION, path), *((name, value) for name, value in fields if isinstance(value, str))])


def carried_on(form: FormData) -> Fields:
    """Return the hidden fields in ``form``, for when the password was wrong."""
    return [(name, value) for name, value in form.multi_items() if _is_carried(name) and isinstance(value, str)]


def repeated(form: FormData) -> Response | None:
    """Return the answer to the form that ``form`` carries, sent now; None if it carries none."""
    fields = _checked(carried_on(form))
    path = local_path(next((value for name, value in fields or () if name == ACTION), None), "")
    if not fields or not path or path.startswith(_NEVER):
        return None
    return _Repeated(path, [(name.removeprefix(f"{ACTION}."), value) for name, value in fields if name != ACTION])


def _is_carried(name: str) -> bool:
    return name == ACTION or name.startswith(f"{ACTION}.")


def _checked(fields: Fields) -> Fields | None:
    """Return ``fields`` if they are few and short enough to be carried."""
    size = sum(len(name) + len(value) for name, value in fields)
    return fields if len(fields) <= _MOST_FIELDS and size <= _MOST_TEXT else None


class _Repeated(Response):
    """Answers as the page does to a form that is posted to ``path``: with every check that it makes then."""

    def __init__(self, path: str, fields: Iterable[tuple[str, str]]) -> None:
        super().__init__()
        self._path, _, self._query = path.partition("?")
        self._form = urlencode(list(fields)).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the form to its screen."""
        headers = [(name, value) for name, value in scope["headers"] if name != b"content-length"]
        again = {
            **scope,
            "path": unquote(self._path),
            "raw_path": self._path.encode(),
            "query_string": self._query.encode(),
            "headers": [*headers, (b"content-length", str(len(self._form)).encode())],
        }
        sent = iter([{"type": "http.request", "body": self._form, "more_body": False}])

        async def form_first() -> Message:
            return next(sent, None) or await receive()

        await scope["app"].router(again, form_first, send)
