"""The records of a backup: their JSON lines, the counts and digests that end a file, and its form."""

import base64
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from webhooks_cli.backup.webhook_items import CREDENTIAL, HEALTH, without
from webhooks_cli.errors import WrongUseError

FORM = 1
HEADER, END = "backup", "end"
SECRET, ACCESS, COMMUNITY, WEBHOOK, OTHER, DELIVERY = (
    "secret", "access", "community", "webhook", "other", "delivery",
)  # fmt: skip
MODULUS = 1 << 256
# The fields that each kind has, by which a file is used.
FIELDS: dict[str, dict[str, type]] = {
    HEADER: {"createdAt": str, "stack": str, "parameters": dict},
    SECRET: {"name": str, "value": str},
    COMMUNITY: {"pk": str, "items": list},
    **{kind: {"item": dict} for kind in (ACCESS, WEBHOOK, OTHER, DELIVERY)},
    END: {"digest": str, "contents": str},
}

Record = dict[str, Any]


def to_line(record: Mapping[str, Any]) -> bytes:
    """Write a record as one line of JSON."""
    return json.dumps(record, separators=(",", ":"), default=_binary).encode() + b"\n"


def _binary(value: object) -> Any:
    """Write bytes as boto3 has them: base64, marked by the name that no attribute's type has."""
    if isinstance(value, (bytes, bytearray)):
        return {"base64": base64.b64encode(value).decode()}
    raise TypeError


def from_line(line: bytes) -> Record:
    """Read a record with all fields of its kind. Raises ValueError."""
    try:
        record = json.loads(line, object_hook=_with_binary)
    except RecursionError:
        raise ValueError from None
    fields = FIELDS.get(str(record.get("kind"))) if isinstance(record, dict) else None
    if fields is None or not all(isinstance(record.get(name), type_) for name, type_ in fields.items()):
        raise ValueError
    return dict(record)


def _with_binary(value: dict[str, Any]) -> Any:
    if len(value) == 1 and isinstance(text := value.get("base64"), str):
        return base64.b64decode(text)
    return value


@dataclass
class Contents:
    """Counts of records by kind, and a digest of them that no order, name of a secret or health changes."""

    counts: Counter[str] = field(default_factory=Counter)
    _sum: int = 0

    def add(self, kind: str, content: Mapping[str, Any] | str) -> None:
        """Take in a record's content."""
        self.counts[kind] += 1
        if kind == WEBHOOK and isinstance(content, Mapping):
            content = without(content, *CREDENTIAL, *HEALTH)
        line = json.dumps([kind, content], sort_keys=True, default=_binary)
        self._sum = (self._sum + int.from_bytes(sha256(line.encode()).digest(), "big")) % MODULUS

    @property
    def digest(self) -> str:
        """Return the digest in hexadecimal: equal for equal contents."""
        return sha256(self._sum.to_bytes(32, "big")).hexdigest()

    def add_record(self, record: Record) -> None:
        """Take in a record of a file: those that must be found again after a restore."""
        if record["kind"] == WEBHOOK:
            self.add(WEBHOOK, {**record["item"], "": record.get("credential")})
        elif record["kind"] in (ACCESS, OTHER):
            self.add(record["kind"], record["item"])
        elif record["kind"] in (COMMUNITY, DELIVERY):
            self.counts[record["kind"]] += 1


@dataclass(frozen=True, slots=True)
class Summary:
    """A whole backup in short: its first record, its counts, and the digests of its lines and contents."""

    header: Record
    counts: Mapping[str, int]
    digest: str
    contents: str

    def document(self) -> dict[str, Any]:
        return {
            **without(self.header, "kind"),
            "counts": dict(self.counts),
            "digest": self.digest,
            "contents": self.contents,
        }


class _Summed:
    """Records that are summed up while they pass."""

    summary: "Summary | None" = None

    @property
    def whole(self) -> Summary:
        """Return the summary, once all records have passed."""
        if self.summary is None:
            raise AssertionError("the records have not passed")
        return self.summary


class Written(_Summed):
    """Records on their way into a file."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._records = records

    def lines(self) -> Iterator[bytes]:
        lines, contents = sha256(), Contents()
        header: Record = {}
        for record in self._records:
            header = header or record
            contents.add_record(record)
            line = to_line(record)
            lines.update(line)
            yield line
        self.summary = Summary(header, contents.counts, lines.hexdigest(), contents.digest)
        yield to_line(
            {
                "kind": END,
                "counts": contents.counts,
                "digest": self.summary.digest,
                "contents": self.summary.contents,
            }
        )


class Read(_Summed):
    """The records of a file, first the header."""

    def __init__(self, lines: Iterable[bytes], source: object) -> None:
        self._lines = lines
        self._source = source

    def records(self) -> Iterator[Record]:
        """Return the records but the last. Raises WrongUseError for a file that is not whole, or too new."""
        digest, contents = sha256(), Contents()
        header: Record = {}
        for line in self._lines:
            record = self._record(line)
            if not header:
                header = self._checked_header(record)
            if record["kind"] == END:
                self.summary = Summary(header, contents.counts, digest.hexdigest(), contents.digest)
                if (self.summary.digest, self.summary.contents) != (record["digest"], record["contents"]):
                    raise WrongUseError(f"{self._source} does not hold what was written: its digest differs")
                continue
            if self.summary is not None:
                raise WrongUseError(f"{self._source} is no backup: it goes on after its end")
            contents.add_record(record)
            digest.update(line + b"\n")
            yield record
        if self.summary is None:
            raise WrongUseError(f"{self._source} is damaged, or was cut off: nothing of it is used")

    def _record(self, line: bytes) -> Record:
        try:
            return from_line(line)
        except ValueError:
            raise WrongUseError(f"{self._source} is no backup of this service") from None

    def _checked_header(self, record: Record) -> Record:
        form = record.get("form")
        if record["kind"] != HEADER or not isinstance(form, int):
            raise WrongUseError(f"{self._source} is no backup of this service")
        if form > FORM:
            raise WrongUseError(
                f"{self._source} has form {form}, and this command knows forms up to {FORM}: install the "
                f"command of version {record.get('version', 'unknown')} or newer"
            )
        return record
