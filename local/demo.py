"""Publishes the sample events and waits until the receiver has verified the callback of each."""

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3

from local.command import webhooks
from local.errors import LocalError
from local.paths import EVENTS
from local.verification import STANDARD

SAMPLES = ("native.json", "platform.json", "eventbridge.json")
PATIENCE = 60  # seconds; the first delivery waits for three functions to start
PAUSE = 0.05
SCHEMES = {"es256k": "es256k", "es256": "es256", STANDARD: "Standard Webhooks", "rfc9421": "RFC 9421"}


@dataclass(frozen=True, slots=True)
class Shown:
    """A callback that came in; `milliseconds` since its event was put on the queue."""

    sample: str
    event_name: str
    milliseconds: int
    schemes: tuple[str, ...]


def deliver(folder: Path, receiver_url: str) -> list[Shown]:
    """Publish each sample and return its callback. Raises LocalError: none came, or one does not verify."""
    published = {}
    for sample in SAMPLES:
        event_id = str(uuid.uuid4())
        arguments = ("publish", str(EVENTS / sample), "--mine", "--set", f'eventId="{event_id}"')
        webhooks(*arguments, folder=folder)
        published[event_id] = (sample, time.time())
    found = _wait(published, lambda: _callbacks(receiver_url))
    return [
        _shown(found[event_id], sample=sample, sent_at=sent_at)
        for event_id, (sample, sent_at) in published.items()
    ]


def _wait(
    published: dict[str, tuple[str, float]], ask: Callable[[], list[dict[str, Any]]]
) -> dict[str, dict[str, Any]]:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = {_event(callback)["id"]: callback for callback in ask()}
        if published.keys() <= found.keys():
            return found
        time.sleep(PAUSE)
    missing = ", ".join(sample for event_id, (sample, _) in published.items() if event_id not in found)
    raise LocalError(f"no callback came within {PATIENCE} s for: {missing}")


def _callbacks(receiver_url: str) -> list[dict[str, Any]]:
    response = urllib3.request("GET", f"{receiver_url}/callbacks", retries=False, timeout=10)
    return list(response.json())


def _event(callback: dict[str, Any]) -> dict[str, Any]:
    event = json.loads(callback["body"])
    return event if isinstance(event, dict) else {"id": None}


def _shown(callback: dict[str, Any], *, sample: str, sent_at: float) -> Shown:
    if callback["wrong"]:
        raise LocalError(f"the callback of {sample} does not verify: {'; '.join(callback['wrong'])}")
    return Shown(
        sample=sample,
        event_name=_event(callback)["type"],
        milliseconds=max(0, round((callback["receivedAt"] - sent_at) * 1000)),
        schemes=tuple(SCHEMES[scheme] for scheme in callback["verified"] if scheme in SCHEMES),
    )
