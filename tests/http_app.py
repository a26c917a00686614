"""Serves the API's functions in memory over HTTP on loopback, for programs that call it."""

import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.factories import InMemoryApp, api_event

STAGE = "/prod"


class HttpApp(ThreadingHTTPServer):
    """An InMemoryApp behind an address. `runs`: its clock is this machine's at each request."""

    daemon_threads = True

    def __init__(self, app: InMemoryApp, *, runs: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), _Requests)
        self.app = app
        self.runs = runs
        self.lock = threading.Lock()  # the app's state is for one thread
        self.requests: list[tuple[str, str, dict[str, str], str]] = []  # method, path, headers, body
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}{STAGE}"

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: HttpApp

    def respond(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        event = api_event(
            self.command,
            unquote(parts.path.removeprefix(STAGE)),
            headers=dict(self.headers.items()),
            body=body or None,
            query=dict(parse_qsl(parts.query)) or None,
        )
        with self.server.lock:
            if self.server.runs:
                self.server.app.clock.now = time.time()
            response = self.server.app.send(event)
        text = response.text.encode()
        self.server.requests.append((self.command, self.path, dict(self.headers.items()), body))
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(text)))
        with suppress(ConnectionError):  # the page was left meanwhile
            self.end_headers()
            self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = respond  # noqa: N815 - the server's names

    def log_message(self, *_: object) -> None:
        pass
