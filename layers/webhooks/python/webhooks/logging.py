"""Logs as JSON lines, and metrics in the same lines (CloudWatch's embedded metric format).

Log lines hold names, counts and times: never headers, bodies, queries, keys, or the texts of foreign errors.
The log level applies to the loggers below `ROOT`; lines of `METRICS` are written at every level.
"""

import json
import logging
import sys
import traceback
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import IO, Any

from webhooks.domain.errors import WebhooksError

NAMESPACE = "Webhooks"  # of metrics, unless a function has its stack's
ROOT = "webhooks"  # every module's logger is below it
METRICS = f"{ROOT}.metrics"  # the logger of lines that are metrics
MAX_FRAMES = 20  # of a traceback, the innermost
# Attributes of every LogRecord, and those that a formatter adds; all others came in through `extra`.
_STANDARD = {*vars(logging.makeLogRecord({})), "message", "asctime"}
# Lambda's names where Python's differ: Lambda reads an unknown level as INFO.
_LEVELS = {"WARNING": "WARN", "CRITICAL": "FATAL"}


def start_logging(
    *, service: str, level: str, namespace: str = NAMESPACE, stream: IO[str] | None = None
) -> None:
    """Write the log of the layer's modules to the stream (stdout) as JSON lines that name the service.

    `level`: DEBUG, INFO, WARN or ERROR. `namespace`: of the metrics in them. Other packages log
    from WARN on, at any level.
    """
    writer = logging.StreamHandler(stream or sys.stdout)
    writer.setFormatter(_JsonLine(service, namespace))
    logger = logging.getLogger(ROOT)
    logger.handlers = [writer]
    logger.propagate = False  # Lambda's own handler on the root would write each line again
    logger.setLevel(level)
    logging.getLogger(METRICS).setLevel(logging.INFO)
    # Lambda gives the root logger a level too, and at DEBUG botocore logs requests with the secrets in them.
    logging.getLogger().setLevel(logging.WARNING)
    # No line has them, and each costs a lookup for each line.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


def describe(error: BaseException) -> list[str]:
    """Return an error's traceback as lines, the cause first.

    The texts of foreign errors are left out, as they may quote a secret; of an AWS error its code is kept.
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
    response = getattr(error, "response", None)  # botocore's ClientError, without importing it
    if isinstance(response, dict) and isinstance(response.get("Error"), dict):
        return f": {response['Error'].get('Code')} in {getattr(error, 'operation_name', 'unknown')}"
    return ""


class _JsonLine(logging.Formatter):
    """Writes a record as one line of JSON, without fields that are None, and an exception as `describe` does.

    Powertools' formatter does the same and more, for 1.9 times the CPU.
    """

    def __init__(self, service: str, namespace: str) -> None:
        super().__init__()
        self._service = service
        self._namespace = namespace

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "level": _LEVELS.get(record.levelname, record.levelname),
            "message": record.getMessage(),
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "service": self._service,
        }
        fields = vars(record).items()
        line |= {name: value for name, value in fields if name not in _STANDARD and value is not None}
        if directives := line.get("_aws"):
            line["_aws"] = self._completed(directives["CloudWatchMetrics"], record.created)
        if record.exc_info and record.exc_info[1] is not None:
            line["trace"] = describe(record.exc_info[1])
        return json.dumps(line, default=str, separators=(",", ":"))

    def _completed(self, directives: Sequence[Mapping[str, Any]], created: float) -> dict[str, Any]:
        """Return the metrics' part of a line with namespace and time; `created` in epoch seconds."""
        return {
            "Timestamp": int(created * 1000),
            "CloudWatchMetrics": [{"Namespace": self._namespace, **each} for each in directives],
        }
