"""The report of a run: `report.md` for people, `report.json` for programs."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

PASSED, FAILED, NOT_HERE = "passed", "failed", "not here"


@dataclass(frozen=True)
class Result:
    """The result of a step, of the tests, or of a check; `evidence` says how it was seen."""

    name: str
    result: str
    evidence: str
    seconds: float


@dataclass(frozen=True)
class BillLine:
    """A line of the bill; `quantity` is measured unless `assumed` says how it was found."""

    service: str
    item: str
    quantity: float
    unit: str
    dollars: float
    assumed: str = ""


@dataclass
class Report:
    """Everything that a run has to say."""

    stack: str
    account: str
    region: str
    emulator: bool
    version: str
    began: float
    ended: float = 0.0
    outcome: str = "not finished"
    steps: list[Result] = field(default_factory=list)
    checks: list[Result] = field(default_factory=list)
    bill: list[BillLine] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    stays: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @property
    def failures(self) -> list[Result]:
        """Return the steps and checks that failed."""
        return [each for each in (*self.steps, *self.checks) if each.result == FAILED]

    @property
    def total(self) -> float:
        """Return the sum of the bill."""
        return sum(line.dollars for line in self.bill)

    def write(self, folder: Path) -> Path:
        """Write both files; returns the path of the one for people."""
        folder.mkdir(parents=True, exist_ok=True)
        document = asdict(self) | {"total": round(self.total, 6)}
        (folder / "report.json").write_text(
            json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8"
        )
        path = folder / "report.md"
        path.write_text("\n".join(self._lines()) + "\n", "utf-8")
        return path

    def _lines(self) -> Iterator[str]:
        where = "the local emulator: this shows the run's own logic, not AWS" if self.emulator else "AWS"
        yield f"# Acceptance of {self.stack}: {self.outcome}"
        yield ""
        yield f"Version {self.version}, account {self.account}, {self.region} ({where}); {_utc(self.began)}, "
        yield f"{self.ended - self.began:.0f} s."
        yield from _table("Steps", ("step", "result", "seconds", "evidence"), map(_row, self.steps))
        yield from _table("Checks", ("check", "result", "seconds", "evidence"), map(_row, self.checks))
        if self.bill:
            rows = [(line.service, line.item, _quantity(line), f"{line.dollars:.4f}") for line in self.bill]
            rows.append(("total", "", "", f"{self.total:.4f}"))
            yield from _table("Bill", ("service", "item", "quantity", "dollars"), rows)
        for title, lines in (
            ("Deleted", self.deleted),
            ("Stays by design", self.stays),
            ("Left: delete it by hand", self.left),
        ):
            if lines:
                yield from ("", f"## {title}", *(f"- {line}" for line in lines))


def _table(
    title: str, heads: Sequence[str], rows: "Iterator[Sequence[str]] | Sequence[Sequence[str]]"
) -> Iterator[str]:
    yield from ("", f"## {title}", f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}")
    for row in rows:
        yield f"| {' | '.join(_cell(each) for each in row)} |"


def _row(result: Result) -> Sequence[str]:
    return result.name, result.result, f"{result.seconds:.1f}", result.evidence


def _quantity(line: BillLine) -> str:
    number = f"{line.quantity:,.0f}" if line.quantity >= 10 else f"{line.quantity:.3g}"
    return f"{number} {line.unit}".rstrip() + (f" ({line.assumed})" if line.assumed else "")


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _utc(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at))
