"""A sample endpoint on loopback: it verifies each callback, responds with 200 or 401, and lists them.

A POST to any path is a callback. GET /callbacks returns the last ones as JSON. `make run` delivers to it.
Sample webhooks' endpoints are slow, or fail (endpoints.py): GET /counts returns their attempts, PUT /up lets
all of them respond, PUT /down ends that. POST /token is a token endpoint of OAuth 2.
"""

import argparse
import json
import signal
import sys
import threading
import time
from collections import Counter, deque
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import urllib3

from local import endpoints
from local.verification import STANDARD, Verification, Verifier

HOST = "127.0.0.1"
KEPT = 500  # callbacks
BODY_MAX = 2 * 1024 * 1024
TOKEN = {"access_token": "a-demo-token", "token_type": "bearer", "expires_in": 3600}
NEVER = "9999"  # sorts after every time


class DemoReceiver(ThreadingHTTPServer):
    """The server; `callbacks` holds the last ones, oldest first."""

    daemon_threads = True
    request_queue_size = 128  # a dispatcher connects for a whole batch at once

    def __init__(self, port: int, known: Path) -> None:
        super().__init__((HOST, port), Handler)
        self.known = known
        self.verifier = Verifier(known)
        self.is_up = False
        self.counts: Counter[str] = Counter()
        self.callbacks: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.verifying = threading.Lock()

    def take(self, url: str, headers: dict[str, str], body: bytes) -> endpoints.Reply:
        """Verify and record a callback; return the response."""
        received_at = time.time()
        try:
            with self.verifying:
                verification = self.verifier.verify(url, headers, body)
        except (OSError, ValueError, KeyError, urllib3.exceptions.HTTPError) as error:
            verification = Verification((), (f"the service's keys cannot be read: {error}",))
        path = urlsplit(url).path
        if endpoints.kind_of(path) in endpoints.KINDS:
            self.counts[path] += 1
        else:
            self.callbacks.append(
                {
                    "url": url,
                    "headers": headers,
                    "body": body.decode("utf-8", "replace"),
                    "receivedAt": received_at,
                    "verified": verification.verified,
                    "wrong": verification.faults,
                }
            )
        if STANDARD not in verification.verified:
            return endpoints.Reply(HTTPStatus.UNAUTHORIZED, "the signature does not verify")
        event = json.loads(body)
        attempt = int(headers.get("webhook-attempt", "1"))
        return endpoints.reply(path, event=event, attempt=attempt, down_since=self._down_since())

    def _down_since(self) -> str:
        known = json.loads(self.known.read_text("utf-8"))
        return NEVER if self.is_up else str(known.get("downSince", NEVER))


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: DemoReceiver

    def do_GET(self) -> None:
        """Return the callbacks, or the numbers of attempts at the sample endpoints."""
        match self.path:
            case "/callbacks":
                self._json(list(self.server.callbacks))
            case "/counts":
                self._json(dict(self.server.counts))
            case _:
                self._response(HTTPStatus.NOT_FOUND, b"GET /callbacks returns the callbacks\n", "text/plain")

    def do_PUT(self) -> None:
        """Let the sample endpoints respond, or not."""
        if self.path not in {"/up", "/down"}:
            self.close_connection = True  # a body may follow
            self._response(HTTPStatus.NOT_FOUND, b"PUT /up and PUT /down are known\n", "text/plain")
            return
        self.server.is_up = self.path == "/up"
        self._json({"isUp": self.server.is_up})

    def do_POST(self) -> None:
        """Receive a callback, or a request for a token."""
        try:
            length = int(self.headers.get("Content-Length", "0"))
        except ValueError:
            length = -1
        if not 0 <= length <= BODY_MAX:
            self.close_connection = True
            self._response(HTTPStatus.CONTENT_TOO_LARGE, b"", "text/plain")
            return
        body = self.rfile.read(length)
        if self.path == "/token":
            self._json(TOKEN)
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.server.take(f"http://{headers.get('host', '')}{self.path}", headers, body)
        time.sleep(reply.seconds)
        self._response(reply.status, reply.body, "application/json")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's name
        """Log a request to stdout."""
        sys.stdout.write(f"{self.log_date_time_string()} {format % args}\n")
        sys.stdout.flush()

    def _json(self, content: Any) -> None:
        self._response(HTTPStatus.OK, json.dumps(content).encode(), "application/json")

    def _response(self, status: HTTPStatus, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Receive callbacks until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument(
        "--known", type=Path, required=True, help="JSON with apiUrl and secrets, by endpoint URL"
    )
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with DemoReceiver(options.port, options.known) as receiver:
        receiver.serve_forever()


if __name__ == "__main__":
    main()
