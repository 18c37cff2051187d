"""Write the copyright file of the package: our licence, and those of every package inside, as they state them.

.venv/bin/python -m deb.copyright SITE-PACKAGES > copyright
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path

_HEAD = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: facesecure
Comment: The packages below come as the wheels that their authors published; their licence texts are in their
 .dist-info folders. What obliges whoever passes this package on stands in third-party.md, foremost that av brings x264
 and x265, which are under the GPL.

Files: *
Copyright: 2026 the facesecure authors
License: Apache-2.0
 The text is in /usr/share/common-licenses/Apache-2.0.
"""


def document(site: Path) -> str:
    """Return the file for the packages that are installed in ``site``. The same for the same packages."""
    found = sorted(distributions(path=[str(site)]), key=lambda one: one.name.lower())
    return "\n".join([_HEAD, *(_paragraph(one) for one in found if one.name.lower() != "facesecure")])


def _paragraph(package: Distribution) -> str:
    from supply_chain.shipped import licence_of

    folder = package.name.lower().replace("-", "_")
    author = next(_stated(package), f"the authors of {package.name}")
    licence = licence_of(package.name) or "see its .dist-info folder"
    return f"Files: usr/lib/facesecure/lib/*/site-packages/{folder}*\nCopyright: {author}\nLicense: {licence}\n"


def _stated(package: Distribution) -> Iterator[str]:
    for field in ("Author", "Author-email", "Maintainer", "Maintainer-email"):
        if value := package.metadata[field]:
            yield " ".join(str(value).split())


if __name__ == "__main__":
    sys.stdout.write(document(Path(sys.argv[1])))
