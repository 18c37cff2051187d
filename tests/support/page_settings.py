"""A page whose daemon has a configuration file: one that it may write, or one of root's that it may not."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from facesecure.app.settings_access import SettingsAccess
from facesecure.config.loader import load_config
from facesecure.domain.accounts import Role
from facesecure.services.settings_file import Place
from support.page_people import Page
from support.page_socket import page_parts


@dataclass
class Reloads:
    """In the place of the supervisor: notes that the settings were put to use, and may refuse them."""

    rejected: list[Callable[[Exception | None], None]] = field(default_factory=list)

    def apply(self, applied: Callable[[Exception | None], None]) -> bool:
        self.rejected.append(applied)
        return True


@dataclass(frozen=True)
class SettingsPage:
    """What a browser may ask about the settings in ``file``, which are stored in ``state`` if it is not writable."""

    page: Page
    file: Path
    state: Path
    reloads: Reloads

    def ask(
        self,
        verb: str,
        arguments: Mapping[str, Any] | None = None,
        role: Role = Role.OWNER,
        *,
        confirmed: bool = True,
    ) -> Mapping[str, Any]:
        """Return the result, or raise Refused."""
        return self.page.ask(verb, arguments, role=role, confirmed=confirmed).result

    @property
    def revision(self) -> str:
        """The revision of the settings."""
        return str(self.ask("settings-state")["revision"])

    def field(self, key: str) -> Mapping[str, Any]:
        """Return a field of the form."""
        sections = self.ask("settings-schema")["sections"]
        return next(one for section in sections for one in section["fields"] if one["key"] == key)

    def save(self, texts: Mapping[str, str], *unset: str, **more: Any) -> Mapping[str, Any]:
        """Save what was typed."""
        return self.ask("settings-save", {"revision": self.revision, "texts": texts, "unset": list(unset)}, **more)


@contextmanager
def settings_page(folder: Path, text: str, *, writable: bool = False) -> Iterator[SettingsPage]:
    """A page whose daemon reads ``text`` from a file. A file that it may not write is another user's."""
    etc, state = folder / "etc", folder / "state"
    etc.mkdir()
    file = etc / "facesecure.toml"
    file.write_text(text)
    if not writable:
        file.chmod(0o440)
        os.chown(file, 65534 if os.geteuid() == 0 else -1, -1)
    reloads = Reloads()
    config = load_config(file)
    with page_parts(state) as parts:
        access = SettingsAccess(Place(file, state), reloads.apply, lambda: False)
        yield SettingsPage(Page(replace(parts, config=config, settings=access)), file, state, reloads)
