"""An API on loopback that speaks the platform's protocol with code of its own, for the `webhooks` command."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from signing import Curve, PrivateKey, jwk
from tests import plain_protocol as protocol

SIGNING = PrivateKey.derive(bytes(16), b"signing", Curve.P256)
JWKS = {"keys": [jwk(SIGNING.public_key, "k1")]}


COMMUNITY = "/tenant/acme/community/main/"


def _full(path: str) -> str:
    return path if path.startswith("/") else COMMUNITY + path


class Api(ThreadingHTTPServer):
    """Responds with the opened request; credentials are sealed for the caller."""

    daemon_threads = True

    def __init__(self, curve_name: str = "secp256k1") -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.keys = protocol.new_key_pair(curve_name)
        self.secret = "whsec_x"
        self.responses: dict[str, tuple[int, bytes]] = {}  # status and body by path
        self.seen: list[tuple[str, str]] = []  # method and path
        self.bodies: list[bytes] = []  # of the same requests
        self.scripts: dict[
            tuple[str, str], list[tuple[int, object]]
        ] = {}  # by method and path; the last stays
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/prod"

    def answer(self, method: str, path: str, *documents: object, status: int = 200) -> None:
        """Respond to the community's path with the documents, one after the other; the last one stays."""
        self.scripts.setdefault((method, path), []).extend((status, each) for each in documents)

    def asked(self, method: str, path: str) -> list[object]:
        """Return the JSON bodies of the requests so far."""
        return [
            json.loads(body) if body else None
            for seen, body in zip(self.seen, self.bodies, strict=True)
            if seen == (method, _full(path))
        ]

    def next(self, method: str, path: str) -> tuple[int, bytes] | None:
        """Return the next scripted response to a request."""
        script = self.scripts.get((method, path)) or self.scripts.get((method, path.removeprefix(COMMUNITY)))
        if not script:
            return None
        status, document = script.pop(0) if len(script) > 1 else script[0]
        return status, json.dumps(document).encode()

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Api

    def respond(self) -> None:
        path = self.path.removeprefix("/prod")
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.seen.append((self.command, path))
        self.server.bodies.append(body)
        if scripted := self.server.next(self.command, path):
            return self.send(*scripted)
        if path in self.server.responses:
            return self.send(*self.server.responses[path])
        if path == "/publickeys":
            return self.send(200, json.dumps({"publicKey": self.server.keys.public}).encode())
        if path == "/.well-known/jwks.json":
            return self.send(200, json.dumps(JWKS).encode())
        if "publickey" not in self.headers:
            return self.send(200, json.dumps({"anonymous": True}).encode())
        key = protocol.shared_key(self.server.keys, self.headers["publickey"])
        document = {
            "method": self.command,
            "path": path,
            "license": protocol.unseal(key, self.headers["licensekey"]),
            "requestid": json.loads(protocol.unseal(key, self.headers["requestid"])),
            "contentType": self.headers.get("content-type"),
            "x": self.headers.get("x-more"),
            "body": body.decode(),
            "api": {"credential": {"username": protocol.seal(key, "jdoe"), "password": "plain"}},
            "signingSecret": protocol.seal(key, self.server.secret),
        }
        return self.send(200, json.dumps(document).encode())

    def send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = respond  # noqa: N815 - the server's names

    def log_message(self, *_: object) -> None:
        pass
