"""A delivery of the log as text for a person: one line of a list, or a block with its attempts and phases."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TextIO

from webhooks_cli.event_files import write_json
from webhooks_cli.result import to_json

PHASES = (
    ("lookup", "lookupMs"),
    ("connect", "connectMs"),
    ("TLS", "tlsMs"),
    ("first byte", "firstByteMs"),
    ("rest", "totalMs"),
)
BAR_WIDTH = 40  # characters of the longest attempt's whole time
LABEL = 11  # characters before a value

Delivery = Mapping[str, Any]


def bar_of(stdout: TextIO) -> str:
    """Return the character of bars on this output; none where it is no terminal."""
    if not stdout.isatty():
        return ""
    try:
        "█".encode(getattr(stdout, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return "#"
    return "█"


def last_attempt(delivery: Delivery) -> str:
    """Return the status of the last attempt, or why there was none."""
    attempts = delivery.get("attempts") or []
    if not attempts:
        return str(delivery.get("reason", ""))
    return result_of(attempts[-1])


def result_of(attempt: Mapping[str, Any]) -> str:
    return str(attempt.get("status") or attempt.get("reason") or "no response")


def last_latency(delivery: Delivery) -> str:
    attempts = delivery.get("attempts") or []
    return str(attempts[-1]["latencyMs"]) if attempts else ""


def outcome_of(delivery: Delivery) -> str:
    """Return the outcome with its mark: `delivered (test)`, `dead (recoverable)`."""
    marks = [delivery["mark"]] if delivery.get("mark") else []
    if delivery.get("recoverable"):
        marks.append("recoverable")
    return f"{delivery['outcome']} ({', '.join(marks)})" if marks else str(delivery["outcome"])


def delivery_block(delivery: Delivery, *, bar: str) -> str:
    """Write a delivery with its attempts; `bar` is the character of the bars, empty for none."""
    return "\n".join(_lines(delivery, bar))


def _lines(delivery: Delivery, bar: str) -> Iterator[str]:
    yield _field("delivery", delivery["deliveryId"])
    yield _field("webhook", delivery["webhookId"])
    yield _field("event", f"{delivery['eventName']}  {delivery['eventId']}")
    yield _field("happened", delivery.get("occurredAt", ""))
    yield _field("outcome", f"{outcome_of(delivery)}, settled {delivery['settledAt']}")
    if delivery.get("reason"):
        yield _field("reason", delivery["reason"])
    if delivery.get("nextAttemptAt"):
        yield _field("next", delivery["nextAttemptAt"])
    attempts = delivery.get("attempts") or []
    count = delivery.get("attemptCount", len(attempts))
    shown = f" (the last {len(attempts)} follow)" if count > len(attempts) else ""
    yield _field("attempts", f"{count}{shown}")
    yield _field("payload", "kept" if delivery.get("payloadKept") else "not kept")
    longest = max((_total(each) for each in attempts), default=0)
    for attempt in attempts:
        yield ""
        yield from attempt_lines(attempt, bar=bar, longest=longest)
    if "payload" in delivery:
        yield ""
        yield to_json(delivery["payload"])


def attempt_lines(attempt: Mapping[str, Any], *, bar: str, longest: int) -> Iterator[str]:
    """Yield an attempt: its result, phases and response's start; bars are scaled to `longest` ms or more."""
    parts = [
        f"attempt {attempt['number']}" if "number" in attempt else "",
        attempt.get("at", ""),
        result_of(attempt),
        f"{attempt.get('latencyMs', 0)} ms",
    ]
    if attempt.get("address"):
        parts.append(f"at {attempt['address']}")
    yield "  ".join(part for part in parts if part)
    yield from phase_lines(attempt.get("times"), bar=bar, longest=longest)
    for name in ("location", "response"):
        if attempt.get(name):
            yield f"  {name:{LABEL}}{_one_line(attempt[name])}"
    for name, value in (attempt.get("requestHeaders") or {}).items():
        yield f"  > {name}: {value}"


def phase_lines(times: Mapping[str, int] | None, *, bar: str, longest: int) -> Iterator[str]:
    """Yield a line for each phase that there was, with its duration and its place in the attempt."""
    times = times or {}
    longest = max(longest, *times.values(), 1)
    began = 0
    for name, field in PHASES:
        end = times.get(field) or 0
        if end < began or not end:
            continue
        drawn = _bar(began, end, bar=bar, longest=longest)
        yield f"  {name:{LABEL}}{drawn}{end - began:>6} ms"
        began = end


def _bar(began: int, end: int, *, bar: str, longest: int) -> str:
    if not bar:
        return ""
    scale = BAR_WIDTH / longest
    left = min(BAR_WIDTH - 1, int(began * scale))
    width = max(1, min(BAR_WIDTH - left, round((end - began) * scale)))
    return (" " * left + bar * width).ljust(BAR_WIDTH)


def _total(attempt: Mapping[str, Any]) -> int:
    return int((attempt.get("times") or {}).get("totalMs") or attempt.get("latencyMs") or 0)


def _field(name: str, value: object) -> str:
    return f"{name:{LABEL}}{_one_line(value)}"


def _one_line(value: object) -> str:
    """Return a text on one line, with its control characters escaped: a response can hold any."""
    text = value if isinstance(value, str) else write_json(value)
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def table_rows(deliveries: Sequence[Delivery]) -> Iterator[tuple[str, ...]]:
    """Yield the cells of a list of deliveries: COLUMNS."""
    for each in deliveries:
        yield (
            str(each.get("occurredAt", "")),
            str(each["webhookId"]),
            _one_line(each["eventName"]),
            outcome_of(each),
            str(each.get("attemptCount", "")),
            _one_line(last_attempt(each)),
            last_latency(each),
            str(each["deliveryId"]),
        )


COLUMNS = ("time", "webhook", "event", "outcome", "attempts", "last", "ms", "delivery")


def delivery_line(delivery: Delivery, *, scope: str = "") -> str:
    """Write a delivery as one line of `webhooks tail`; `scope` is its tenant and community, where wanted."""
    latency = last_latency(delivery)
    parts = [
        str(delivery["settledAt"]),
        scope,
        outcome_of(delivery),
        _one_line(delivery["eventName"]),
        _one_line(last_attempt(delivery)),
        f"{latency} ms" if latency else "",
        f"attempt {delivery.get('attemptCount', 0)}",
        str(delivery["deliveryId"]),
    ]
    return "  ".join(part for part in parts if part)
