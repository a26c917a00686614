"""The template, as it stands and as SAM translates it, against checkov's rules, without a network."""

import json
import re
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tools.gates.gate import ROOT, GateError, broken, program, run

TEMPLATE = ROOT / "template.yaml"
PLAIN = (ROOT / "deploy" / "cells.yaml",)  # what CloudFormation gets as it stands
TRANSLATOR = ROOT / "tests" / "template" / "translate.py"
CONFIGURATION = ROOT / ".checkov.yaml"
SKIP = re.compile(r"^\s+- (?P<id>CKV2?_\w+)(?P<reason>.*)$", re.MULTILINE)
NO_COMMENT = {"", "No comment provided"}  # the second is checkov's
REASON = re.compile(r"^\s+# \w+( \S+){4,}")


def check(template: Path = TEMPLATE, configuration: Path = CONFIGURATION) -> str:
    """Return the count of checks. Raises GateError with each finding."""
    unexplained = [found["id"] for found in skips(configuration) if not REASON.match(found["reason"])]
    if unexplained:
        raise GateError(f"{configuration.name} skips without a reason: {', '.join(unexplained)}")
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor() as pool:
        translated = Path(folder) / "translated.json"
        translated.write_text(json.dumps(translate(template)), "utf-8")
        scanned = (template, translated, *(PLAIN if template == TEMPLATE else ()))
        reports = list(pool.map(lambda path: _scan(path, configuration), scanned))
    findings = sorted({line for report in reports for line in _findings(report)})
    if findings:
        raise GateError("\n".join(findings))
    passed = sum(report["summary"]["passed"] for report in reports)
    if not passed:
        raise GateError("checkov checked nothing")
    skipped = len(list(skips(configuration)))
    return f"{passed} checks, and {skipped} rules that do not apply here, each with its reason"


def skips(configuration: Path) -> Iterator[re.Match[str]]:
    """Yield the rules that the configuration skips."""
    return SKIP.finditer(configuration.read_text("utf-8"))


def translate(template: Path) -> dict[str, Any]:
    """Return the template as CloudFormation gets it. Raises GateError."""
    ended = run(
        *(program(".venv-sam", "python"), TRANSLATOR, template),
        words='[{"layers": [], "parameters": {}}]',
    )
    if ended.returncode:
        raise broken("the translation of the template", ended)
    [translated] = json.loads(ended.stdout)
    return dict(translated)


def _scan(path: Path, configuration: Path) -> dict[str, Any]:
    """Return checkov's report on a template. Raises GateError."""
    ended = run(
        *(program(".venv-checkov", "checkov"), "--file", path.name, "--config-file", configuration),
        *("--framework", "cloudformation", "--skip-download", "--output", "json", "--compact"),
        folder=path.parent,
        environment={"CHECKOV_RUN_SCA_PACKAGE_SCAN": "false"},
    )
    try:
        report = json.loads(ended.stdout)
        if report["summary"]["parsing_errors"]:
            raise broken(f"checkov cannot read {path.name}: it", ended)
    except (ValueError, KeyError, TypeError):
        raise broken("checkov", ended) from None
    return dict(report)


def _findings(report: dict[str, Any]) -> Iterable[str]:
    for each in report["results"]["failed_checks"]:
        resource = each["resource"].rpartition(".")[2]
        yield f"{each['check_id']} {resource}: {each['check_name']}"
    for each in report["results"]["skipped_checks"]:
        if each["check_result"].get("suppress_comment", "").strip() in NO_COMMENT:
            resource = each["resource"].rpartition(".")[2]
            yield f"{each['check_id']} {resource}: is skipped in the template without a comment"
