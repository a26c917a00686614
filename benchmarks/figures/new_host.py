"""A delivery to an HTTPS host that nothing is connected to yet, from its URL to the answer.

It is the address guard, TCP, TLS with certificate checks, the request and the answer, measured against one
TCP connection and TLS handshake with an SSL context that is shared. Lookups are in neither: they are
remembered.
"""

import math
import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager

from benchmarks import event_path
from benchmarks.figure import Goal, Measured, Reading
from benchmarks.null_receiver import HOST, NullReceiver, null_receiver
from benchmarks.paired import Work, cpu_ratios
from benchmarks.receiver_process import CLOSE
from local.progress import Progress
from webhooks.bootstrap.dispatcher import compose
from webhooks.domain.http import HttpOutcome, HttpRequest, HttpResponse
from webhooks.ports import Call, Conversation, HttpClient

TITLE = "CPU of a delivery to a new HTTPS host"
AGAINST = "one handshake with a shared SSL context"
GOAL = Goal(1.3)
BOUND = """\
libcurl makes a TLS context for each connection; the handshakes that it is measured against share one. The
certificate authorities are not read again: libcurl keeps them for a day. Counted in instructions a delivery
takes 1.1 of a handshake; the rest is system calls, and code that a single delivery finds in no cache. Its
OpenSSL offers a post-quantum key share as well, 0.1 ms of the 1.6: kept, as callbacks are private."""
DELIVERIES = 100  # in one run


def measure(progress: Progress) -> Measured:
    with null_receiver() as running, progress.step("deliveries to new hosts"), _client(running) as client:
        ratios = cpu_ratios(_deliveries(client, running), _handshakes(running))
    return Measured([Reading("a delivery", ratios, goal=GOAL)])


@contextmanager
def _client(running: NullReceiver) -> Iterator[HttpClient]:
    os.environ["SSL_CERT_FILE"] = str(running.authority)
    event_path.set_environment()
    with closing(compose()) as app:
        yield app.http


def _call(request: HttpRequest) -> Conversation[HttpOutcome]:
    outcome = yield Call(request, 5)
    return outcome


def _deliveries(client: HttpClient, running: NullReceiver) -> Work:
    body = event_path.parsed(1).body.encode()
    headers = {"Content-Type": "a/b"}
    request = HttpRequest("POST", f"https://{HOST}:{running.https}{CLOSE}", headers, body)

    def deliveries() -> int:
        for _ in range(DELIVERIES):
            [[outcome]] = client.send_all([_call(request)], pause=math.inf)
            if not isinstance(outcome, HttpResponse):
                raise TypeError(outcome)
        return DELIVERIES

    return deliveries


def _handshakes(running: NullReceiver) -> Work:
    context = ssl.create_default_context()

    def handshakes() -> int:
        for _ in range(DELIVERIES):
            with (
                socket.create_connection(("127.0.0.1", running.https)) as plain,
                context.wrap_socket(plain, server_hostname=HOST),
            ):
                pass
        return DELIVERIES

    return handshakes
