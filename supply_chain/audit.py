"""Look for known vulnerabilities of the locked packages, by pip-audit.

    .venv/bin/python -m supply_chain.audit            # make audit

Exit code 1: a vulnerability that ``requirements/audit-ignore.toml`` does not excuse, or no longer. Packages that could
not be asked about, for want of a network or since the index refuses, are counted in the last line and fail nothing.
pip-audit itself says "No known vulnerabilities found" then.
"""

from __future__ import annotations

import argparse
import datetime
import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from supply_chain.locks import REQUIREMENTS, LockedPackage, locked

IGNORED = REQUIREMENTS / "audit-ignore.toml"
SECONDS = 300.0
_NETWORK = "ConnectionError|[A-Z][a-z]+Timeout|HTTPError|SSLError|ProxyError|ServiceError"


@dataclass(frozen=True, slots=True)
class Vulnerability:
    """A known vulnerability of a locked package; ``fixed`` are the versions without it."""

    package: str
    version: str
    names: frozenset[str]
    fixed: tuple[str, ...]

    def __str__(self) -> str:
        fixed = f"fixed in {', '.join(self.fixed)}" if self.fixed else "not fixed yet"
        return f"{self.package} {self.version}: {', '.join(sorted(self.names))} ({fixed})"


@dataclass(frozen=True, slots=True)
class Excuse:
    """An entry of audit-ignore.toml: why a vulnerability does not matter here, and until when that is believed."""

    package: str
    id: str
    reason: str
    expires: datetime.date

    def covers(self, found: Vulnerability) -> bool:
        """Return whether it is about ``found``."""
        return self.package == found.package and self.id in found.names


@dataclass(frozen=True, slots=True)
class Findings:
    """What the service said: the vulnerabilities, and how many packages it was asked about and how many answered."""

    vulnerabilities: tuple[Vulnerability, ...]
    asked: int
    answered: int
    reason: str = ""


def excuses(path: Path = IGNORED) -> list[Excuse]:
    """Return the entries of ``path``. Raises ValueError for one without package, id, a reason or a date of expiry."""
    found = []
    for entry in tomllib.loads(path.read_text(encoding="utf-8")).get("ignore", []):
        usable = set(entry) == {"package", "id", "reason", "expires"} and str(entry["reason"]).strip()
        if not usable or type(entry["expires"]) is not datetime.date:
            raise ValueError(f"{path.name}: an entry has package, id, reason and expires (a date): {entry}")
        found.append(Excuse(**entry))
    return found


def audit(packages: Iterable[LockedPackage], arguments: Sequence[str] = ()) -> Findings:
    """Ask about ``packages``; ``arguments`` are further ones for pip-audit.

    A service out of reach is a reason in the result. Raises RuntimeError if pip-audit fails for another one.
    """
    parts = [_ask(names, arguments) for names in _without_duplicates(packages)]
    reasons = [part.reason for part in parts if part.reason]
    return Findings(
        tuple(dict.fromkeys(found for part in parts for found in part.vulnerabilities)),
        sum(part.asked for part in parts),
        sum(part.answered for part in parts),
        reasons[0] if reasons else "",
    )


def _ask(versions: dict[str, str], arguments: Sequence[str]) -> Findings:
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--no-deps", "--format=json", "--desc=off"]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.writelines(f"{name}=={version}\n" for name, version in versions.items())
        file.flush()
        command += ["--progress-spinner=off", f"--requirement={file.name}", *arguments]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired:
            return Findings((), len(versions), 0, f"no answer in {SECONDS:.0f} s")
    if done.stdout.strip():
        return _findings(json.loads(done.stdout)["dependencies"], len(versions))
    return Findings((), len(versions), 0, _no_network(done.stderr))


def _no_network(text: str) -> str:
    """Return the reason of pip-audit for having no answer. Raises RuntimeError if it is not one of the network's."""
    reasons = re.findall(rf"^(?:[\w.]*\.)?((?:{_NETWORK})\b.*)$", text, re.MULTILINE)
    if not reasons:
        raise RuntimeError(f"pip-audit failed: {text.strip().splitlines()[-1:]}")
    said = next((reason for reason in reasons if ":" in reason), reasons[-1])
    return re.split(r"\(Caused by|: Max retries", said)[0].strip()[:120]


def _without_duplicates(packages: Iterable[LockedPackage]) -> list[dict[str, str]]:
    """Return the versions by name; a further version of a name, as for a newer Python, stands in a further dict."""
    files: list[dict[str, str]] = []
    for name, version in sorted({(package.name, package.version) for package in packages}):
        fitting = next((names for names in files if name not in names), None)
        if fitting is None:
            files.append(fitting := {})
        fitting[name] = version
    return files


def _findings(dependencies: list[dict[str, Any]], asked: int) -> Findings:
    found = [
        Vulnerability(
            one["name"], one["version"], frozenset([each["id"], *each["aliases"]]), tuple(each["fix_versions"])
        )
        for one in dependencies
        for each in one.get("vulns", ())
    ]
    skipped = [one["skip_reason"] for one in dependencies if "skip_reason" in one]
    answered = len(dependencies) - len(skipped)
    return Findings(tuple(dict.fromkeys(found)), asked, answered, skipped[0].partition(":")[0] if skipped else "")


def verdict(findings: Findings, excused: Sequence[Excuse], today: datetime.date) -> tuple[list[str], bool]:
    """Return the lines to print, and whether nothing has to be done."""
    lines, good = [], True
    for found in findings.vulnerabilities:
        excuse = next((one for one in excused if one.covers(found)), None)
        if excuse is None:
            lines.append(f"VULNERABLE: {found}")
        elif excuse.expires < today:
            lines.append(f"VULNERABLE: {found}; it was excused until {excuse.expires}: {excuse.reason}")
        else:
            lines.append(f"excused until {excuse.expires}: {found}: {excuse.reason}")
            continue
        good = False
    lines += [f"no longer needed in {IGNORED.name}: {one.package} {one.id}" for one in _unneeded(findings, excused)]
    return [*lines, _summary(findings)], good


def _unneeded(findings: Findings, excused: Sequence[Excuse]) -> Iterator[Excuse]:
    if findings.answered == findings.asked:
        for one in excused:
            if not any(one.covers(found) for found in findings.vulnerabilities):
                yield one


def _summary(findings: Findings) -> str:
    known = f"audit: {findings.answered} of {findings.asked} locked packages checked for known vulnerabilities, "
    known += f"{len(findings.vulnerabilities)} found"
    if findings.answered == findings.asked:
        return known
    return f"{known}; NOT CHECKED: {findings.asked - findings.answered} ({findings.reason})"


def main(words: Sequence[str] | None = None) -> int:
    """Audit the lock files, print what was found, and return the exit code."""
    parser = argparse.ArgumentParser(prog="audit", description="Known vulnerabilities of the locked packages.")
    parser.add_argument("--requirements", type=Path, default=REQUIREMENTS, help="folder of the lock files")
    options, further = parser.parse_known_args(words)
    excused = excuses(options.requirements / IGNORED.name)
    lines, good = verdict(audit(locked(folder=options.requirements), further), excused, datetime.date.today())
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
