"""Sample traffic for the console: a history of hours, and endpoints that are slow, failing, held or gone."""

import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import urllib3

from local import samples
from local.command import webhooks
from local.errors import LocalError
from local.progress import Progress
from local.stack import Stack
from local.stack_file import TENANT_ID

SECONDS = 25.0  # at most, until every state is there
BREAKER_SECONDS = 5.0  # BreakerSeconds of samconfig.toml
PAUSE = 0.2
WANTED = ("failing", "held", "slow", "paused", "disabled")


class Traffic:
    """The sample webhooks' traffic. `known`: of the last run; empty before the first one."""

    def __init__(self, stack: Stack, folder: Path, receiver_url: str, known: dict[str, Any]) -> None:
        now = int(time.time() * 1000)
        self._stack = stack
        self._folder = folder
        self._receiver = receiver_url
        self._is_first = not known
        self.since = int(known.get("since", now - samples.OUTAGE))  # of the outage
        self._until = int(known.get("until", now))
        self._now = now
        self._outage_at = 0.0

    @property
    def known(self) -> dict[str, int]:
        """Return the content of `known` for the next run."""
        return {"since": self.since, "until": self._now}

    def publish(self, progress: Progress) -> None:
        """Publish all samples until now. Raises LocalError where the API or a queue does not respond."""
        if not self._is_first:
            with progress.step("publish sample events of the time since the last run"):
                self._send(self._recent(max(self._until, self._now - samples.HISTORY)))
            return
        with progress.step(f"publish sample events of the last {samples.HOURS} hours"):
            self._send_ordered()
        with progress.step("wait until endpoints are slow, failing, held, paused and gone"):
            self._send(samples.events(samples.OTHERS, self.since - samples.HISTORY, self.since))
            webhooks("test", samples.TESTED, folder=self._folder)
            self._hold()
            self._pause()
            self._send([*self._recent(self.since), *samples.held(self.since)])
            self._wait(lambda: all(self._states()[each] for each in WANTED))

    def _send_ordered(self) -> None:
        """Send the history of endpoints that are down now, and then the first events that fail."""
        history = samples.events(samples.ORDERED, self.since - samples.HISTORY, self.since)
        names = Counter(each["eventName"] for each in history)
        self._send(history)

        def is_there() -> bool:
            counts = self._counts()
            return all(counts.get(path, 0) >= names[name] for name, path in samples.ENDPOINTS.items())

        self._wait(is_there)
        self._send(samples.outage(self.since))
        self._outage_at = time.monotonic()

    def _recent(self, begin: int) -> list[dict[str, Any]]:
        rates = {**samples.ORDERED, **samples.OTHERS}
        del rates[samples.FAILS_ONCE]
        return samples.events(rates, begin, self._now)

    def _hold(self) -> None:
        """Send an event after the time in which failures may be few, again until its webhook is held."""
        time.sleep(max(0.0, self._outage_at + BREAKER_SECONDS + 0.5 - time.monotonic()))
        for number in range(5):
            at = self.since + samples.MINUTE * 2 + number
            self._send([samples.event("stock.reserved", at)])
            if self._wait(lambda: bool(self._states()["held"]), seconds=3):
                return

    def _pause(self) -> None:
        found = self._call("POST", "webhooks/fetch", {"name": samples.PAUSED})["data"]
        for each in found:
            self._call("PATCH", f"webhook/{each['_id']}", {"paused": True})

    def _states(self) -> dict[str, int]:
        states: dict[str, int] = self._call("GET", "health")["webhooks"]
        return states

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        sent = () if body is None else ("-d", json.dumps(body))
        response: dict[str, Any] = webhooks("call", method, path, *sent, folder=self._folder)
        return response

    def _send(self, events: list[dict[str, Any]]) -> None:
        sqs, url = self._stack.client("sqs"), self._stack.outputs["EventsQueueUrl"]
        for text in samples.messages(events):
            sqs.send_message(QueueUrl=url, MessageBody=text, MessageGroupId=TENANT_ID)

    def _counts(self) -> dict[str, int]:
        try:
            response = urllib3.request("GET", f"{self._receiver}/counts", retries=False, timeout=10)
        except urllib3.exceptions.HTTPError as error:
            raise LocalError(f"the sample receiver does not respond: {error}") from None
        counts: dict[str, int] = response.json()
        return counts

    def _wait(self, is_there: Callable[[], bool], *, seconds: float = SECONDS) -> bool:
        """Wait for a condition; False where it does not come, as samples need not be complete."""
        deadline = time.monotonic() + seconds
        while not is_there():
            if time.monotonic() > deadline:
                return False
            time.sleep(PAUSE)
        return True
