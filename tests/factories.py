"""Requests as API Gateway hands them over, their callers, and the API over one state in memory."""

import base64
import io
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from types import ModuleType
from typing import Any

from signing import Curve
from tests import plain_protocol
from tests.clocks import NOW, Clock
from tests.fakes.background import AtOnce
from tests.fakes.batch_reader import FakeBatchReader
from tests.fakes.credentials import FakeCredentials
from tests.fakes.delivery_log import FakeDeliveryLog
from tests.fakes.endpoint import OneByOne, ScriptedEndpoint, ScriptedGuard, ScriptedTokens
from tests.fakes.faults import Fault, no_fault
from tests.fakes.keys import FakeKeyStore, FakeMaster
from tests.fakes.licenses import FakeLicenses
from tests.fakes.queues import FakeEventPublisher, FakeRecoveryQueue
from tests.fakes.rate_limiter import FakeRateLimiter
from tests.fakes.replays import FakeReplays
from tests.fakes.subscriptions import FakeSubscriptions
from tests.lambda_functions import ENVIRONMENT, load_function
from tests.random_bytes import DistinctBytes
from webhooks.domain.caller import AuthLevel, License
from webhooks.domain.keyring import service_keys, signing_keys
from webhooks.domain.scope import Scope
from webhooks.entrypoints.api.authenticator import Authenticator
from webhooks.entrypoints.api.discovery_responses import DeploymentInfo
from webhooks.entrypoints.api.resolver import RestApi
from webhooks.entrypoints.api.service_key_responses import ServiceKeyResponses
from webhooks.entrypoints.api.webhook_responses import WebhookResponses
from webhooks.logging import start_logging
from webhooks.services.authentication import Authentication
from webhooks.services.delivery_log import DeliveryLogs
from webhooks.services.discovery import Discovery
from webhooks.services.dispatch.attempt import Attempts
from webhooks.services.dispatch.callback_request import CallbackSigner
from webhooks.services.dispatch.loading import Loader
from webhooks.services.ecdsa_helper import EcdsaHelper
from webhooks.services.endpoint_health import EndpointHealth
from webhooks.services.explanation import Explanations
from webhooks.services.publishing import Publishing
from webhooks.services.replays import TenantReplays
from webhooks.services.service_keys import SERVICE, SIGNING, ServiceKeys
from webhooks.services.tenant_throttle import TenantThrottle
from webhooks.services.test_event import WebhookTests
from webhooks.services.webhook_pages import WebhookPages
from webhooks.services.webhook_secrets import WebhookSecrets
from webhooks.services.webhooks import Webhooks

TENANT, COMMUNITY = "acme", "default"
SCOPE = Scope(TENANT, COMMUNITY)
BASE = f"/tenant/{TENANT}/community/{COMMUNITY}"
GRACE = int(ENVIRONMENT["KEY_GRACE_SECONDS"])
SPAN = int(ENVIRONMENT["ALLOWED_TIME_SPAN"])
WEBHOOKS_PER_COMMUNITY = int(ENVIRONMENT["WEBHOOKS_PER_COMMUNITY"])
TENANT_BURST = 20


def webhook_body(**changes: Any) -> dict[str, Any]:
    """Make a body that creates a webhook."""
    return {
        "eventNames": ["E_LOGIN"],
        "name": "logins",
        "api": {"url": "https://hooks.example.com/in"},
        "successCodes": [200],
        **changes,
    }


def basic_api(**changes: Any) -> dict[str, Any]:
    return {
        "url": "https://hooks.example.com/in",
        "authType": "basic",
        "credential": {"username": "planted-user", "password": "planted-password"},
        **changes,
    }


def oauth_api(**changes: Any) -> dict[str, Any]:
    return {
        "url": "https://hooks.example.com/in",
        "authType": "oauth2",
        "oAuthGrantType": "client_credentials",
        "oAuthTokenUrl": "https://login.example.com/token",
        "oAuthScopes": ["a"],
        "credential": {"oauth2": {"clientId": "planted-id", "clientSecret": "planted-secret"}},
        **changes,
    }


def api_event(
    method: str,
    path: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: str | bytes | None = None,
    query: Mapping[str, str] | None = None,
    resource: str = "/{proxy+}",
    stage: str = "prod",
    context: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Make an API Gateway REST proxy event; a body of bytes goes in as base64."""
    headers = {"Host": "api.example.com", **(headers or {})}
    return {
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": dict(headers),
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": dict(query) if query else None,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()}
        if query
        else None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "apiId": "abc123",
            "domainName": "api.example.com",
            "httpMethod": method,
            "path": f"/{stage}{path}",
            "requestId": f"request-{uuid.uuid4()}",
            "stage": stage,
            **(context or {}),
        },
        "body": base64.b64encode(body).decode() if isinstance(body, bytes) else body,
        "isBase64Encoded": isinstance(body, bytes),
    }


@dataclass(frozen=True)
class ApiResponse:
    """A function's response; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def message(self) -> str:
        """The message of an error that has the envelope."""
        content = self.json
        assert set(content) == {"statusCode", "error", "message"}
        assert content["statusCode"] == self.status
        message: str = content["message"]
        return message


def read_response(result: Mapping[str, Any]) -> ApiResponse:
    text = result["body"]
    if result["isBase64Encoded"]:
        text = base64.b64decode(text).decode()
    headers = {name.lower(): values[0] for name, values in result["multiValueHeaders"].items()}
    json.dumps(result)  # as Lambda does
    return ApiResponse(int(result["statusCode"]), headers, text)


@dataclass(frozen=True)
class Client:
    """A caller with a key pair and a license, and code of its own for the protocol."""

    license_key: str
    scalar: int = 0x1234567890ABCDEF
    app_id: str = "tests"

    @property
    def pair(self) -> plain_protocol.KeyPair:
        return _pair(self.scalar)

    def key(self, service_public: str) -> bytes:
        return _shared(self.scalar, service_public)

    def headers(self, service_public: str, *, ts: float = NOW, **more: Any) -> dict[str, str]:
        """Make the three headers; `more` goes into the request id."""
        request_id = {"ts": ts, "appid": self.app_id, "uuid": str(uuid.uuid4()), **more}
        return self.sealed(service_public, json.dumps(request_id))

    def sealed(self, service_public: str, request_id: str) -> dict[str, str]:
        key = self.key(service_public)
        return {
            "publickey": self.pair.public,
            "licensekey": plain_protocol.seal(key, self.license_key),
            "requestid": plain_protocol.seal(key, request_id),
        }

    def open(self, service_public: str, envelope: str) -> str:
        return plain_protocol.unseal(self.key(service_public), envelope)


@cache
def _pair(scalar: int) -> plain_protocol.KeyPair:
    return plain_protocol.KeyPair(plain_protocol.SECP256K1, scalar)


@lru_cache(256)
def _shared(scalar: int, peer: str) -> bytes:
    return plain_protocol.shared_key(_pair(scalar), peer)


@cache
def function(name: str) -> ModuleType:
    """Return functions/<name>/app.py; tests that share it compose apps of their own."""
    return load_function(name)


SYSTEM = Client("system-license-planted")
SERVICE_CALLER = Client("service-license-planted", scalar=0xFEDCBA)
EXTERNAL = Client("external-license-planted", scalar=0xABCDEF)
OTHER_TENANT = Client("other-license-planted", scalar=0x777777)
LEVELS = {"system": SYSTEM, "service": SERVICE_CALLER, "service_ext": EXTERNAL}


class InMemoryApp:
    """The API's functions over one state in memory. `fault`: of the recovery queue, a test may set it."""

    def __init__(
        self,
        *,
        raw_headers: bool = False,
        subscriptions: Any = None,
        limit: int = WEBHOOKS_PER_COMMUNITY,
        curve: Curve = Curve.SECP256K1,
        tenant_rate: int = 0,
    ) -> None:
        self.curve = curve
        self.log = io.StringIO()
        self.fault: Fault = no_fault
        self.clock, self.random_bytes = Clock(), DistinctBytes()
        self.keys = FakeKeyStore(service_keys({"seed": "s" * 64}, curve))
        self.signing_keys = FakeKeyStore(signing_keys({"seed": "c" * 64}))
        self.licenses = FakeLicenses()
        self.subscriptions = subscriptions or FakeSubscriptions(
            clock=self.clock, random_bytes=self.random_bytes
        )
        self.deliveries = FakeDeliveryLog(fault=self._fail)
        self.credentials = FakeCredentials(clock=self.clock, random_bytes=self.random_bytes, fault=self._fail)
        self.guard = ScriptedGuard()
        self.endpoint, self.tokens = ScriptedEndpoint(fault=self._fail), ScriptedTokens()
        self.limiter = FakeRateLimiter(fault=self._fail)
        self.reader = FakeBatchReader(self.subscriptions, self.deliveries, fault=self._fail)
        self.publisher = FakeEventPublisher()
        self.recovery = FakeRecoveryQueue(fault=self._fail)
        self.replays = FakeReplays(fault=self._fail)
        self.probes: dict[str, Any] = {"dynamodb": _well, "sqs": _well, "secrets manager": _well}
        self._issue()
        authenticator = Authenticator(
            Authentication(
                keys=self.keys,
                licenses=self.licenses,
                clock=self.clock,
                allowed_time_span=SPAN,
                raw_headers=raw_headers,
            ),
            clock=self.clock,
            random_bytes=self.random_bytes,
            allowed_time_span=SPAN,
            throttle=TenantThrottle(self.limiter, rate=tenant_rate, burst=TENANT_BURST, clock=self.clock),
        )
        self.apis = self._apis(authenticator, limit)
        start_logging(service="api", level="INFO", stream=self.log)

    def _fail(self, point: str) -> None:
        self.fault(point)

    def _issue(self) -> None:
        for client, license_ in (
            (SYSTEM, License(AuthLevel.SYSTEM)),
            (SERVICE_CALLER, License(AuthLevel.SERVICE, TENANT, COMMUNITY)),
            (EXTERNAL, License(AuthLevel.SERVICE_EXT, TENANT, COMMUNITY)),
            (OTHER_TENANT, License(AuthLevel.SERVICE, tenant_id="other", community_id="theirs")),
        ):
            self.licenses.issue(client.license_key, license_)

    def _apis(self, authenticator: Authenticator, limit: int) -> dict[str, RestApi]:
        webhooks = Webhooks(
            subscriptions=self.subscriptions,
            credentials=self.credentials,
            guard=self.guard,
            recovery=self.recovery,
            clock=self.clock,
            webhooks_per_community=limit,
        )
        responses = WebhookResponses(master=FakeMaster(b"m" * 64), random_bytes=self.random_bytes)
        health = EndpointHealth(
            subscriptions=self.subscriptions,
            health=self.subscriptions,
            log=self.deliveries,
            clock=self.clock,
        )
        stores = {SERVICE: self.keys, SIGNING: self.signing_keys}
        keys = ServiceKeys(stores, clock=self.clock, random_bytes=self.random_bytes, grace=GRACE)
        discovery = Discovery(
            service_keys=self.keys,
            signing_keys=self.signing_keys,
            probes=self.probes,
            clock=self.clock,
            patience=0.2,
        )
        deployment = DeploymentInfo(
            curve_name=self.curve.value,
            allowed_time_span=SPAN,
            region="us-east-1",
            stage="prod",
            service_directory={"licenses": "https://licenses.example.com"},
            webhooks_per_community=limit,
        )
        return {
            "test_event": function("test_event").routes(authenticator, self._webhook_tests()),
            "webhooks": function("webhooks").routes(
                authenticator,
                webhooks,
                WebhookSecrets(self.subscriptions, clock=self.clock),
                pages=WebhookPages(
                    subscriptions=self.subscriptions,
                    health=self.subscriptions,
                    credentials=self.credentials,
                ),
                health=health,
                responses=responses,
            ),
            "events": function("events").routes(
                authenticator, Publishing(publisher=self.publisher, clock=self.clock)
            ),
            "deliveries": function("deliveries").routes(
                authenticator,
                log=DeliveryLogs(log=self.deliveries, subscriptions=self.subscriptions),
                replays=TenantReplays(
                    replays=self.replays,
                    log=self.deliveries,
                    subscriptions=self.subscriptions,
                    queue=self.recovery,
                    limiter=self.limiter,
                    clock=self.clock,
                    random_bytes=self.random_bytes,
                ),
                health=health,
                communities=self.subscriptions.communities,
                explanations=Explanations(
                    index=self.subscriptions,
                    subscriptions=self.subscriptions,
                    health=self.subscriptions,
                    log=self.deliveries,
                ),
            ),
            "service_keys": function("service_keys").routes(
                authenticator, keys, ServiceKeyResponses(random_bytes=self.random_bytes)
            ),
            "ecdsa_helper": function("ecdsa_helper").routes(
                EcdsaHelper(self.curve, random_bytes=self.random_bytes)
            ),
            "discovery": function("discovery").routes(discovery, deployment),
            "console": function("console").routes(),
        }

    def _webhook_tests(self) -> WebhookTests:
        signer = CallbackSigner(service=self.keys, signing=self.signing_keys, master=FakeMaster(b"m" * 64))
        return WebhookTests(
            reader=self.reader,
            loader=Loader(signer=signer, reader=self.reader, credentials=self.credentials, workers=AtOnce()),
            signer=signer,
            attempts=Attempts(tokens=self.tokens, monotonic=self.clock, default_ttl=5),
            http=OneByOne(self.endpoint),
            log=self.deliveries,
            limiter=self.limiter,
            clock=self.clock,
            random_bytes=self.random_bytes,
        )

    @property
    def public_key(self) -> str:
        return self.keys.read_now().current.public_key.to_base64()

    def send(self, event: Mapping[str, Any]) -> ApiResponse:
        """Hand an event to the function that the template routes its path to."""
        return read_response(self.apis[owner(event["path"])].handle(event, None))

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        by: Client | None = SYSTEM,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        **more: Any,
    ) -> ApiResponse:
        """Make a request; `more` goes into the request id."""
        made = by.headers(self.public_key, ts=more.pop("ts", self.clock.now), **more) if by else {}
        text = body if body is None or isinstance(body, str | bytes) else json.dumps(body)
        return self.send(api_event(method, path, headers={**made, **(headers or {})}, body=text, query=query))

    def create(self, *, by: Client = SYSTEM, **changes: Any) -> dict[str, Any]:
        """Create a webhook and return the response's body."""
        response = self.call("PUT", f"{BASE}/webhook", webhook_body(**changes), by=by)
        assert response.status == 200, response.text
        content: dict[str, Any] = response.json
        return content

    def fetch(self, *, by: Client = SYSTEM, **asked: Any) -> dict[str, Any]:
        response = self.call("POST", f"{BASE}/webhooks/fetch", asked, by=by)
        assert response.status == 200, response.text
        content: dict[str, Any] = response.json
        return content


def owner(path: str) -> str:
    """Name the function that the template routes a path to."""
    patterns = {
        "test_event": r"/tenant/[^/]+/community/[^/]+/webhook/[^/]+/test/*",
        "webhooks": r"/tenant/[^/]+/community/[^/]+/(webhooks/fetch|webhook(/[^/]+(/secret(/rotate)?)?)?)/*",
        "events": r"/tenant/[^/]+/community/[^/]+/event/.+",
        "deliveries": (
            r"/communities/*|/tenant/[^/]+/community/[^/]+/"
            r"(webhook/[^/]+/(deliveries/fetch|series)|webhooks/health|health|deliveries/(fetch|replay)"
            r"|delivery/[^/]+|events/explain|replays|replay/[^/]+)/*"
        ),
        "service_keys": r"/servicekeys|/servicekey/.+",
        "ecdsa_helper": r"/ecdsa_helper(/[^/]+)?",
        "console": r"/(console|docs)/*",
    }
    return next(
        (name for name, pattern in patterns.items() if re.fullmatch(pattern, path, re.DOTALL)), "discovery"
    )


def _well() -> None:
    """Pass a probe."""
