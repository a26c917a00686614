"""Publishes the sample events and waits until the receiver has verified each one's callback."""

import json
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3

from local.command import webhooks
from local.errors import LocalError
from local.paths import EVENTS
from local.verification import STANDARD

SAMPLES = ("native.json", "platform.json", "eventbridge.json")
SECONDS = 60  # until the callbacks are there; the first delivery waits for three functions to start
PAUSE = 0.05
SCHEMES = {"es256k": "es256k", "es256": "es256", STANDARD: "Standard Webhooks", "rfc9421": "RFC 9421"}


@dataclass(frozen=True, slots=True)
class Shown:
    """A callback that arrived `milliseconds` after its event was put on the queue."""

    sample: str
    event_name: str
    milliseconds: int
    delivery_id: str
    schemes: tuple[str, ...]


def deliver(folder: Path, receiver_url: str) -> list[Shown]:
    """Publish each sample; return its callback. Raises LocalError where one is missing or does not verify."""
    published = {}
    for sample in SAMPLES:
        event_id = str(uuid.uuid4())
        arguments = ("publish", str(EVENTS / sample), "--mine", "--set", f'eventId="{event_id}"')
        webhooks(*arguments, folder=folder)
        published[event_id] = (sample, time.time())
    found = wait_for(published, receiver_url, seconds=SECONDS)
    return [
        shown(found[event_id], sample=sample, sent_at=sent_at)
        for event_id, (sample, sent_at) in published.items()
    ]


def wait_for(
    published: dict[str, tuple[str, float]], receiver_url: str, *, seconds: float
) -> dict[str, dict[str, Any]]:
    """Return the callbacks of the published events (id: sample, time), by event id. Raises LocalError."""
    deadline = time.monotonic() + seconds
    while True:
        found = {_event(callback)["id"]: callback for callback in _callbacks(receiver_url)}
        if published.keys() <= found.keys():
            return found
        if time.monotonic() > deadline:
            break
        time.sleep(PAUSE)
    missing = ", ".join(sample for event_id, (sample, _) in published.items() if event_id not in found)
    raise LocalError(f"the callback of {missing} did not arrive within {seconds:g} s")


def _callbacks(receiver_url: str) -> list[dict[str, Any]]:
    try:
        response = urllib3.request("GET", f"{receiver_url}/callbacks", retries=False, timeout=10)
    except urllib3.exceptions.HTTPError as error:
        raise LocalError(f"the sample receiver does not respond: {error}") from None
    return list(response.json())


def _event(callback: dict[str, Any]) -> dict[str, Any]:
    event = json.loads(callback["body"])
    return event if isinstance(event, dict) else {"id": None}


def shown(callback: dict[str, Any], *, sample: str, sent_at: float) -> Shown:
    """Return a callback of the receiver. Raises LocalError where it does not verify."""
    if callback["wrong"]:
        raise LocalError(f"the callback of {sample} does not verify: {'; '.join(callback['wrong'])}")
    return Shown(
        sample=sample,
        event_name=_event(callback)["type"],
        milliseconds=max(0, round((callback["receivedAt"] - sent_at) * 1000)),
        delivery_id=callback["headers"]["webhook-id"],
        schemes=tuple(SCHEMES[scheme] for scheme in callback["verified"] if scheme in SCHEMES),
    )
