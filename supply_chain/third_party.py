"""Write the tables of docs/third-party.md: what is shipped, and under which licences."""

from __future__ import annotations

from collections.abc import Iterable

from supply_chain.locks import ROOT
from supply_chain.shipped import Library, ShippedPackage, files, packages

EXTRAS = ("charts", "heic", "hub", "offline-voice")
"""Optional extras of a household's installation; those for training and tests are not covered."""

_COPYLEFT = ("GPL", "MPL")


def tables() -> str:
    """Return the generated part of the page."""
    base = packages("base")
    parts = ["## Packages that are always installed\n", _package_table(base)]
    for extra in EXTRAS:
        parts += [f"## Packages of the extra `{extra}`\n", _package_table(packages(extra))]
    known = [*base, *(package for extra in EXTRAS for package in packages(extra))]
    parts += ["## Libraries inside these packages\n", _library_table(known)]
    parts += ["## Files inside facesecure\n", _file_table()]
    return "\n".join(parts)


def _package_table(found: Iterable[ShippedPackage]) -> str:
    rows = [(one.name, _versions(one), _licence(one.licence)) for one in found]
    return _table(("package", "version", "licence"), rows)


def _versions(package: ShippedPackage) -> str:
    """Return the locked versions; with several, each is for other versions of Python."""
    return ", ".join(version.version for version in package.versions)


def _library_table(found: Iterable[ShippedPackage]) -> str:
    unique = {package.name: package for package in found if package.inside}
    rows = [(name, _libraries(package.inside)) for name, package in sorted(unique.items())]
    return _table(("package", "libraries"), rows)


def _libraries(inside: Iterable[Library]) -> str:
    return ", ".join(
        f"{one.name} ({_licence(one.licence)})" for one in sorted(inside, key=lambda one: one.name.lower())
    )


def _file_table() -> str:
    rows = [(one.name, f"`{one.path.relative_to(ROOT)}`", _licence(one.licence)) for one in files()]
    return _table(("what", "file", "licence"), rows)


def _licence(words: str) -> str:
    """Return a licence for the page; those that oblige whoever passes the package on are in bold."""
    plain = words.removeprefix("LicenseRef-").replace("-", " ") if words.startswith("LicenseRef-") else words
    choices = [choice for choice in plain.split(" OR ") if "WITH GCC-exception" not in choice]
    bound = bool(choices) and all(any(name in choice for name in _COPYLEFT) for choice in choices)
    return f"**{plain}**" if bound else plain


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
