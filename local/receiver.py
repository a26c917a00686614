"""A sample endpoint on loopback: it verifies each callback, responds with 200 or 401, and lists them.

A POST to any path is a callback. GET /callbacks returns the last ones as JSON. `make run` delivers to it.
"""

import argparse
import json
import signal
import sys
import threading
import time
from collections import deque
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import urllib3

from local.verification import STANDARD, Verification, Verifier

HOST = "127.0.0.1"
KEPT = 500  # callbacks
BODY_MAX = 2 * 1024 * 1024


class DemoReceiver(ThreadingHTTPServer):
    """The server; `callbacks` holds the last ones, oldest first."""

    daemon_threads = True

    def __init__(self, port: int, verifier: Verifier) -> None:
        super().__init__((HOST, port), Handler)
        self.verifier = verifier
        self.callbacks: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.verifying = threading.Lock()

    def take(self, url: str, headers: dict[str, str], body: bytes) -> HTTPStatus:
        """Verify and record a callback; return the status of the response."""
        received_at = time.time()
        try:
            with self.verifying:
                verification = self.verifier.verify(url, headers, body)
        except (OSError, ValueError, KeyError, urllib3.exceptions.HTTPError) as error:
            verification = Verification((), (f"the service's keys cannot be read: {error}",))
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
        return HTTPStatus.OK if STANDARD in verification.verified else HTTPStatus.UNAUTHORIZED


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: DemoReceiver

    def do_GET(self) -> None:
        """Return the callbacks."""
        if self.path != "/callbacks":
            self._response(HTTPStatus.NOT_FOUND, b"GET /callbacks returns the callbacks\n", "text/plain")
            return
        self._response(HTTPStatus.OK, json.dumps(list(self.server.callbacks)).encode(), "application/json")

    def do_POST(self) -> None:
        """Receive a callback."""
        try:
            length = int(self.headers.get("Content-Length", "0"))
        except ValueError:
            length = -1
        if not 0 <= length <= BODY_MAX:
            self.close_connection = True
            self._response(HTTPStatus.CONTENT_TOO_LARGE, b"", "text/plain")
            return
        body = self.rfile.read(length)
        headers = {name.lower(): value for name, value in self.headers.items()}
        status = self.server.take(f"http://{headers.get('host', '')}{self.path}", headers, body)
        self._response(status, json.dumps({"received": status == HTTPStatus.OK}).encode(), "application/json")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's name
        """Log a request to stdout."""
        sys.stdout.write(f"{self.log_date_time_string()} {format % args}\n")
        sys.stdout.flush()

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
    with DemoReceiver(options.port, Verifier(options.known)) as receiver:
        receiver.serve_forever()


if __name__ == "__main__":
    main()
