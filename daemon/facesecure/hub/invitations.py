"""The invitations that the manager has given, kept encrypted: what they promise counts, not what the database says."""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from facesecure.domain.errors import StoreError
from facesecure.hub.errors import NotGenuineError
from facesecure.hub.rows import JoinRequest, Right
from facesecure.hub.sealing import unambiguous
from facesecure.storage.secret_files import SecretFiles

_PREFIX = "invitation-"


@dataclass(frozen=True)
class Given:
    """An invitation that the manager gave. ``household`` is the name; ``keys`` are those of the door that answered.

    ``mac_key`` authenticates the request of whoever has the code.
    """

    identifier: str
    mac_key: bytes = field(repr=False)
    name: str
    household: str
    rights: frozenset[Right]
    expires_at: datetime
    keys: bytes = b""

    def check(self, request: JoinRequest, estate: str, now: datetime) -> Given:
        """Return this invitation as used by ``request``. Raises NotGenuineError unless it is by whom was invited.

        The first request with the code's secret takes it: another with other keys is refused, as is one that is late.
        """
        keys = request.box_key + request.sign_key
        if not hmac.compare_digest(request.mac, request_mac(self.mac_key, estate, request)):
            raise NotGenuineError("the request was not made with the code")
        if self.keys and self.keys != keys:
            raise NotGenuineError("the code was used before, by another door")
        if not self.keys and now > self.expires_at:
            raise NotGenuineError("the code has expired")
        return replace(self, keys=keys)


def request_mac(mac_key: bytes, estate: str, request: JoinRequest) -> bytes:
    """Return the MAC (HMAC-SHA-256) by which ``request`` shows that whoever made it has the code."""
    signed = unambiguous("join", estate, request.invitation, request.box_key, request.sign_key)
    return hmac.digest(mac_key, signed, sha256)


class GivenInvitations:
    """The invitations of the manager in ``state_dir``, a file each. Any process may use them."""

    def __init__(self, state_dir: Path) -> None:
        self._files = SecretFiles(state_dir)

    def put(self, given: Given) -> None:
        """Keep an invitation. Raises OSError, or StoreError."""
        document = {
            "mac_key": given.mac_key.hex(),
            "name": given.name,
            "household": given.household,
            "rights": sorted(given.rights),
            "expires_at": given.expires_at.isoformat(),
            "keys": given.keys.hex(),
        }
        self._files.write(_PREFIX + given.identifier, json.dumps(document).encode())

    def get(self, identifier: str) -> Given | None:
        """Return an invitation, None if there is none. Raises StoreError if it cannot be read."""
        try:
            found = json.loads(self._files.read(_PREFIX + identifier))
            return Given(
                identifier,
                bytes.fromhex(found["mac_key"]),
                str(found["name"]),
                str(found["household"]),
                frozenset(Right(right) for right in found["rights"]),
                datetime.fromisoformat(found["expires_at"]),
                bytes.fromhex(found["keys"]),
            )
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise StoreError(f"the invitation {identifier} cannot be understood", "invite the door again") from error

    def remove(self, identifier: str) -> None:
        """Forget an invitation. Raises OSError."""
        self._files.remove(_PREFIX + identifier)

    def all(self) -> list[Given]:
        """Return all invitations that can be read."""
        names = [name.removeprefix(_PREFIX) for name in self._files.names() if name.startswith(_PREFIX)]
        found = []
        for name in names:
            try:
                given = self.get(name)
            except StoreError:
                continue  # made with another key: it is of no use
            if given is not None:
                found.append(given)
        return found
