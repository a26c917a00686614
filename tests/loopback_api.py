"""An API on loopback that speaks the platform's protocol with code of its own, for the `webhooks` command."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from signing import Curve, PrivateKey, jwk
from tests import plain_protocol as protocol

SIGNING = PrivateKey.derive(bytes(16), b"signing", Curve.P256)
JWKS = {"keys": [jwk(SIGNING.public_key, "k1")]}


class Api(ThreadingHTTPServer):
    """Responds with the opened request; credentials are sealed for the caller."""

    daemon_threads = True

    def __init__(self, curve_name: str = "secp256k1") -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.keys = protocol.new_key_pair(curve_name)
        self.secret = "whsec_x"
        self.responses: dict[str, tuple[int, bytes]] = {}  # status and body by path
        self.seen: list[tuple[str, str]] = []  # method and path
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/prod"

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
