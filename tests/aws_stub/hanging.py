"""AWS that takes a call and does not answer, or answers late; moto answers the calls that do not hang."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

import botocore.handlers
import pytest


@dataclass
class HangingAws:
    """Operations that hang, and seconds that others take. `tried`: the tries of those that hang."""

    url: str
    hanging: set[str] = field(default_factory=set)
    delays: dict[str, float] = field(default_factory=dict)
    tried: list[str] = field(default_factory=list)

    def __call__(self, event_name: str, request: Any, **_: Any) -> None:
        operation = event_name.rpartition(".")[2]
        if operation == "GetSecretValue" and b"test/credentials" in request.body:
            operation += " of test/credentials"
        if operation in self.hanging:
            self.tried.append(operation)
            request.url = self.url  # which moto does not answer
        time.sleep(self.delays.get(operation, self.delays.get("any", 0)))


@contextmanager
def hanging_aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[HangingAws]:
    """Lead the calls of all sessions that are made meanwhile through a HangingAws."""
    with _silent_server() as url:
        aws = HangingAws(url)
        # Each new session has these handlers, before moto's own.
        handlers = [("before-send", aws), *botocore.handlers.BUILTIN_HANDLERS]
        monkeypatch.setattr(botocore.handlers, "BUILTIN_HANDLERS", handlers)
        yield aws
        # A session that outlives the test (boto3's default one) keeps the handler.
        aws.hanging, aws.delays = set(), {}


@contextmanager
def _silent_server() -> Iterator[str]:
    """Accept all connections and answer none; yield the URL."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        accepted: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    accepted.append(listener.accept()[0])
                except OSError:
                    return

        thread = Thread(target=accept, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        for each in accepted:
            each.close()
