"""Write a bill of materials of what ``make install`` installs, in CycloneDX 1.6 JSON.

    .venv/bin/python -m supply_chain.sbom            # make sbom: out/sbom.json

It has every locked package with the hashes that are accepted and its licence, the libraries inside wheels as parts of
them, and the bundled models and portraits. It is the same for the same commit: it has no date and no random number.
"""

from __future__ import annotations

import argparse
import json
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

from facesecure import __version__
from supply_chain.locks import REQUIREMENTS, ROOT, LockedPackage
from supply_chain.shipped import Library, ShippedFile, ShippedPackage, files, packages

LOCKS = ("base",)
VERSION = SchemaVersion.V1_6
_LICENCES = LicenseFactory()


def bill(*locks: str) -> Bom:
    """Return the bill of materials of the packages in the lock files ``locks`` and of our own files."""
    bom = Bom(serial_number=_serial(locks))
    own = Component(name="facesecure", version=__version__, type=ComponentType.APPLICATION, bom_ref="facesecure")
    own.licenses.add(_LICENCES.make_from_string("Apache-2.0"))
    own.components.update(_file(one) for one in files())
    bom.metadata.component = own
    parts = [_package(package, version) for package in packages(*locks) for version in package.versions]
    bom.components.update(parts)
    bom.register_dependency(own, parts)
    return bom


def as_json(bom: Bom) -> str:
    """Return ``bom`` as CycloneDX JSON, without the time at which it was made."""
    document = json.loads(make_outputter(bom, OutputFormat.JSON, VERSION).output_as_string())
    del document["metadata"]["timestamp"]
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _package(package: ShippedPackage, version: LockedPackage) -> Component:
    purl = PackageURL("pypi", None, package.name, version.version)
    component = Component(name=package.name, version=version.version, purl=purl, bom_ref=str(purl))
    component.hashes.update(HashType(alg=HashAlgorithm.SHA_256, content=one) for one in version.hashes)
    if package.licence:
        component.licenses.add(_LICENCES.make_from_string(package.licence))
    if version.marker:
        component.properties.add(Property(name="facesecure:marker", value=version.marker))
    component.components.update(_library(one, str(purl)) for one in package.inside)
    return component


def _library(library: Library, inside: str) -> Component:
    component = Component(name=library.name, bom_ref=f"{inside}#{library.name}#{library.licence}")
    component.licenses.add(_LICENCES.make_from_string(library.licence))
    return component


def _file(file: ShippedFile) -> Component:
    component = Component(name=file.name, type=ComponentType.FILE, bom_ref=str(file.path.relative_to(ROOT)))
    component.hashes.add(HashType(alg=HashAlgorithm.SHA_256, content=file.sha256))
    component.licenses.add(_LICENCES.make_from_string(file.licence))
    return component


def _serial(locks: Sequence[str]) -> uuid.UUID:
    """Return a number of the content of the lock files, for the same bill again."""
    content = "".join((REQUIREMENTS / f"{name}.txt").read_text(encoding="utf-8") for name in locks)
    return uuid.uuid5(uuid.NAMESPACE_OID, f"facesecure {__version__}\n{content}")


def main(words: Sequence[str] | None = None) -> int:
    """Write the bill of materials, print where it is, and return the exit code."""
    parser = argparse.ArgumentParser(prog="sbom", description="The bill of materials, as CycloneDX JSON.")
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "sbom.json")
    parser.add_argument("--extra", action="append", default=[], help="an extra that is installed too, such as heic")
    options = parser.parse_args(words)
    bom = bill(*LOCKS, *options.extra)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(as_json(bom), encoding="utf-8")
    sys.stdout.write(f"{options.out}: {len(bom.components)} packages\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
