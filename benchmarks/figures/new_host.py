"""A delivery to an HTTPS host that nothing is connected to yet, from its URL to the answer.

It is the address guard, TCP, TLS with certificate checks, the request and the answer, measured against one
TCP connection and TLS handshake with an SSL context that is shared. Lookups are in neither: they are
remembered.
"""

import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager

from benchmarks import event_path
from benchmarks.figure import Goal, Measured, Reading
from benchmarks.pairs import Work, cpu_ratios
from benchmarks.sink import HOST, Sink, sink
from local.progress import Progress
from webhooks.adapters.endpoint import HttpEndpoint, tls_context
from webhooks.domain.exchange import Answer, HttpRequest

TITLE = "CPU of a delivery to a new HTTPS host"
AGAINST = "one handshake with a shared SSL context"
GOAL = Goal(1.3)
DELIVERIES = 100  # in one run


def measure(progress: Progress) -> Measured:
    """Measure deliveries of 2 KB."""
    with sink() as running, progress.step("deliveries to new hosts"), _endpoint(running) as endpoint:
        ratios = cpu_ratios(_deliveries(endpoint, running), _handshakes(running))
    return Measured([Reading("a delivery", ratios, goal=GOAL)])


@contextmanager
def _endpoint(running: Sink) -> Iterator[HttpEndpoint]:
    os.environ["SSL_CERT_FILE"] = str(running.authority)
    endpoint: HttpEndpoint = event_path.function("dispatcher").dispatch._attempts._endpoint
    with closing(endpoint):
        yield endpoint


def _deliveries(endpoint: HttpEndpoint, running: Sink) -> Work:
    body = event_path.parsed(1).body.encode()
    request = HttpRequest("POST", f"https://{HOST}:{running.https}/hook", {"Content-Type": "a/b"}, body)

    def deliveries() -> int:
        for _ in range(DELIVERIES):
            exchange = endpoint.exchange(request, seconds=5)
            if not isinstance(exchange, Answer):
                raise TypeError(exchange)
            endpoint.close()  # it forgets its connections: the next host is new
        return DELIVERIES

    return deliveries


def _handshakes(running: Sink) -> Work:
    context: ssl.SSLContext = tls_context()

    def handshakes() -> int:
        for _ in range(DELIVERIES):
            with (
                socket.create_connection(("127.0.0.1", running.https)) as plain,
                context.wrap_socket(plain, server_hostname=HOST),
            ):
                pass
        return DELIVERIES

    return handshakes
