"""A client of the API as the platform's own are: it speaks the protocol by tests/plain_protocol.py alone."""

import json
import time
import uuid
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import urllib3

from tests import plain_protocol as protocol

HTTP = urllib3.PoolManager(maxsize=8, retries=False, timeout=30)


@dataclass
class ApiResponse:
    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class PlatformClient:
    """Calls as one license; a client caches the service's key, as the platform's do."""

    api_url: str
    license_key: str
    tenant: str = "acme"
    community: str = "main"
    keys: protocol.KeyPair = field(default_factory=protocol.new_key_pair)

    @cached_property
    def service_key(self) -> str:
        key: str = self.plain("GET", "/publickeys").json["publicKey"]
        return key

    @property
    def shared_key(self) -> bytes:
        return protocol.shared_key(self.keys, self.service_key)

    def unseal(self, envelope: str) -> str:
        return protocol.unseal(self.shared_key, envelope)

    def headers(self, *, ts: float | None = None, request_uuid: str | None = None) -> dict[str, str]:
        return protocol.request_headers(
            self.keys,
            self.service_key,
            license_key=self.license_key,
            ts=int(time.time()) if ts is None else ts,
            appid="com.example.e2e",
            uuid=request_uuid or str(uuid.uuid4()),
        )

    def call(
        self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None
    ) -> ApiResponse:
        """Send a request with the three headers; a path without a slash first is the community's."""
        if not path.startswith("/"):
            path = f"/tenant/{self.tenant}/community/{self.community}/{path}"
        return self.plain(method, path, body, headers=self.headers() if headers is None else headers)

    def plain(
        self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None
    ) -> ApiResponse:
        """Send a request as it is; a body that is no bytes is sent as JSON."""
        sent = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        response = HTTP.request(method, self.api_url + path, body=body, headers=sent)
        return ApiResponse(response.status, response.headers, response.data)
