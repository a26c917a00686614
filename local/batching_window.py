"""Starts the AWS emulator (MiniStack), whose pollers of queues then wait for a fuller batch as Lambda's do.

By itself it stores a mapping's `MaximumBatchingWindowInSeconds`, and takes what is there at once. This
program runs in the emulator's own environment, and imports nothing of the project.
"""

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

type Messages = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Held:
    """A batch that is not full; `since`: when its first message was received."""

    since: float
    messages: Messages


class Windows:
    """Receives messages of a queue as `receive` does, full batches and those whose window is over.

    `window_of`: a queue's window in seconds. `wake`: has the poller look again after so many seconds.
    """

    def __init__(
        self,
        receive: Callable[[str, int], Messages],
        *,
        window_of: Callable[[str], int],
        wake: Callable[[float], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._receive = receive
        self._window_of = window_of
        self._wake = wake
        self._clock = clock
        self._held: dict[str, Held] = {}

    def __call__(self, queue_url: str, size: int) -> Messages:
        """Return a batch of at most `size` messages, or none yet; the queue hides what is received."""
        now, window = self._clock(), self._window_of(queue_url)
        held = self._held.pop(queue_url, None) or Held(now, [])
        found = self._receive(queue_url, size - len(held.messages))
        # A message whose visibility timeout ended meanwhile is received again.
        messages = list({each["id"]: each for each in (*held.messages, *found)}.values())
        if not messages or len(messages) >= size or now - held.since >= window:
            return messages
        self._held[queue_url] = Held(held.since, messages)
        self._wake(held.since + window - now)
        return []


def main() -> int:
    """Run the emulator with windows; return its exit status."""
    app, mappings, sqs, concurrency = (
        vars(import_module(f"ministack.{name}"))
        for name in ("app", "services.lambda_svc", "services.sqs", "core.concurrency")
    )

    def window_of(queue_url: str) -> int:
        arn = sqs["_queues"][queue_url]["attributes"]["QueueArn"]
        windows = (
            int(mapping.get("MaximumBatchingWindowInSeconds") or 0)
            for *_, mapping in mappings["_iter_all_esms"]()
            if mapping["EventSourceArn"] == arn
        )
        return max(windows, default=0)

    def wake(seconds: float) -> None:
        timer = threading.Timer(seconds, concurrency["esm_wake"].set)
        timer.daemon = True
        timer.start()

    receive = sqs["_receive_messages_for_esm"]
    sqs["_receive_messages_for_esm"] = Windows(receive, window_of=window_of, wake=wake)
    return int(app["main"]() or 0)


if __name__ == "__main__":
    sys.exit(main())
