"""Logs as JSON lines, and metrics in the same lines (CloudWatch's embedded metric format).

Log lines hold names, counts and times: never headers, bodies, queries, keys, or the texts of foreign errors.
The level of the log leaves out lines of `ROOT`'s loggers; lines of `METRICS` are always written.
"""

import json
import logging
import sys
import traceback
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import IO, Any

from webhooks.domain.errors import WebhooksError

NAMESPACE = "Webhooks"
ROOT = "webhooks"  # every module's logger is below it
METRICS = f"{ROOT}.metrics"  # the logger of lines that are metrics
MAX_FRAMES = 20  # of a traceback, the innermost
# What every record has, and what logging itself would put there: the rest is what the line is about.
_STANDARD = {*vars(logging.makeLogRecord({})), "message", "asctime"}
# Lambda's names, where Python's differ: Lambda takes a level that it does not know for INFO.
_LEVELS = {"WARNING": "WARN", "CRITICAL": "FATAL"}


def start_logging(*, service: str, level: str, stream: IO[str] | None = None) -> None:
    """Write what the layer's modules log to the stream (stdout) as JSON lines that name the service.

    `level`: DEBUG, INFO, WARN or ERROR. Other packages log warnings and errors only, at any level.
    """
    writer = logging.StreamHandler(stream or sys.stdout)
    writer.setFormatter(_JsonLine(service))
    logger = logging.getLogger(ROOT)
    logger.handlers = [writer]
    logger.propagate = False  # Lambda's own handler on the root would write each line again
    logger.setLevel(level)
    logging.getLogger(METRICS).setLevel(logging.INFO)
    # Lambda gives the root logger a level too, and at DEBUG botocore logs requests with the secrets in them.
    logging.getLogger().setLevel(logging.WARNING)
    # Each would be looked up for each line, and no line has them.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


def metrics(
    values: Mapping[str, tuple[float, str]], *, dimensions: Sequence[Sequence[str]], now: float
) -> dict[str, Any]:
    """Return what makes a log line a metric: its values by name, with the line's fields as dimensions.

    `values`: number and unit (Count, Milliseconds, ...); `now` in epoch seconds.
    """
    definitions = [{"Name": name, "Unit": unit} for name, (_, unit) in values.items()]
    directive = {"Namespace": NAMESPACE, "Dimensions": [list(each) for each in dimensions]}
    return {
        "_aws": {
            "Timestamp": int(now * 1000),
            "CloudWatchMetrics": [{**directive, "Metrics": definitions}],
        },
        **{name: value for name, (value, _) in values.items()},
    }


def describe(error: BaseException) -> list[str]:
    """Say where an error came from, the cause first: types and lines of code.

    Foreign errors' texts are left out, as they may quote a secret; an AWS error says its code.
    """
    chain = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) is not None and cause not in chain:
        chain.append(cause)
    return [line for each in reversed(chain) for line in _lines(each)]


def _lines(error: BaseException) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)[-MAX_FRAMES:]
    return [
        *(f"{frame.filename}:{frame.lineno} in {frame.name}: {frame.line}" for frame in frames),
        f"{type(error).__module__}.{type(error).__qualname__}{_text(error)}",
    ]


def _text(error: BaseException) -> str:
    if isinstance(error, WebhooksError):
        return f": {error}"
    response = getattr(error, "response", None)  # botocore's ClientError, which is not imported for this
    if isinstance(response, dict) and isinstance(response.get("Error"), dict):
        return f": {response['Error'].get('Code')} in {getattr(error, 'operation_name', 'unknown')}"
    return ""


class _JsonLine(logging.Formatter):
    """Writes a record as one line of JSON, without what is None; an exception as `describe` says it.

    Powertools' formatter does the same and more, for three times the CPU.
    """

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "level": _LEVELS.get(record.levelname, record.levelname),
            "message": record.getMessage(),
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "service": self._service,
        }
        facts = vars(record).items()
        line |= {name: value for name, value in facts if name not in _STANDARD and value is not None}
        if record.exc_info and record.exc_info[1] is not None:
            line["trace"] = describe(record.exc_info[1])
        return json.dumps(line, default=str, separators=(",", ":"))
