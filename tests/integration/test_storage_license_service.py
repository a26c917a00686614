"""The platform's License service, played by a loopback server that speaks the plain protocol."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography.exceptions import InvalidTag

from signing import Curve, PrivateKey
from tests import plain_protocol
from tests.clocks import Clock
from tests.fakes.keys import FakeKeyStore
from tests.fakes.licenses import FakeLicenses
from tests.random_bytes import DistinctBytes
from webhooks.adapters.http.license_service import CACHE_SIZE, REFUSAL_SECONDS, LicenseService
from webhooks.domain.caller import AuthLevel, License, TenantlessLicense
from webhooks.domain.errors import UnavailableError
from webhooks.domain.keyring import Key, KeyPairs
from webhooks.domain.scope import Scope

OURS = PrivateKey.derive(b"o" * 16, b"ours", Curve.SECP256K1)
NORTH, SOUTH = Scope("acme", "north"), Scope("acme", "south")
GOOD = {"isAuthorized": True, "authLevel": "service", "expiry": 1_900_000_000}


@dataclass
class Platform:
    """The License service: its key, its response, and the requests that it got."""

    keys: plain_protocol.KeyPair = field(default_factory=plain_protocol.new_key_pair)
    status: int = 200
    response: object = field(default_factory=lambda: dict(GOOD))
    paths: list[str] = field(default_factory=list)
    opened: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    url: str = ""

    def respond(self, path: str, headers: dict[str, str]) -> tuple[int, object]:
        self.paths.append(path)
        if path == "/licenses/publickeys":
            return 200, {"publicKey": self.keys.public}
        try:
            key = plain_protocol.shared_key(self.keys, headers["publickey"])
            license_key = plain_protocol.unseal(key, headers["licensekey"])
            request_id = json.loads(plain_protocol.unseal(key, headers["requestid"]))
        except InvalidTag:
            return 401, {"statusCode": 401, "error": "Unauthorized"}
        assert headers["publickey"] == OURS.public_key.to_base64()
        self.opened.append((license_key, request_id))
        return self.status, self.response


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that hang up: some tests are about that."""


@pytest.fixture
def platform() -> Iterator[Platform]:
    platform = Platform()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, response = platform.respond(self.path, headers)
            body = response.encode() if isinstance(response, str) else json.dumps(response).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        platform.url = f"http://127.0.0.1:{server.server_port}/licenses"
        yield platform
        server.shutdown()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def service(platform: Platform, clock: Clock) -> Iterator[LicenseService]:
    service = LicenseService(
        platform.url + "/",
        keys=FakeKeyStore(KeyPairs(seed="", keys=(Key(OURS),))),
        own=FakeLicenses(),
        clock=clock,
        random_bytes=DistinctBytes(),
    )
    yield service
    service.close()


def test_a_license_is_asked_for_in_its_community(
    service: LicenseService, platform: Platform, clock: Clock
) -> None:
    assert service.find("a key ä", NORTH) == TenantlessLicense(
        AuthLevel.SERVICE, tenant_id="acme", community_id="north", expires_at=1_900_000_000
    )
    assert platform.paths == ["/licenses/publickeys", "/licenses/community/north/licensecheck"]
    ((license_key, request_id),) = platform.opened
    assert license_key == "a key ä"
    assert request_id["ts"] == clock.now
    assert request_id["appid"] == "webhooks"


def test_only_licenses_of_the_deployment_count_without_a_community(platform: Platform, clock: Clock) -> None:
    own = FakeLicenses()
    own.issue("ours", License(AuthLevel.SYSTEM))
    service = LicenseService(
        platform.url, own=own, keys=FakeKeyStore(KeyPairs(seed="", keys=(Key(OURS),))), clock=clock,
        random_bytes=DistinctBytes(),
    )  # fmt: skip
    platform.response = GOOD | {"authLevel": "system", "tenantId": "*", "communityId": "*"}
    assert service.find("ours", None) == License(AuthLevel.SYSTEM)
    assert service.find("theirs", None) is None
    assert platform.paths == []


@pytest.mark.parametrize("level", list(AuthLevel))
def test_no_verdict_reaches_another_community_or_the_deployment_itself(
    service: LicenseService, platform: Platform, level: AuthLevel
) -> None:
    platform.response = GOOD | {"authLevel": level.value, "tenantId": "*", "communityId": "*"}
    found = service.find("key", NORTH)
    assert found is not None
    assert found.reaches(NORTH)
    assert not found.reaches(SOUTH)
    assert not found.reaches(Scope("evil", "north"))
    assert not found.is_global


@pytest.mark.parametrize(
    ("named", "reached"),
    [
        ({}, True),
        ({"tenantId": None, "communityId": None}, True),
        ({"tenantId": "acme"}, True),
        ({"tenantId": "acme", "communityId": "north"}, True),
        ({"tenantId": "*"}, True),
        ({"tenantId": "evil"}, False),
        ({"tenantId": "ACME"}, False),
        ({"tenantId": ""}, False),
        ({"tenantId": 7}, False),
        ({"tenantId": ["acme"]}, False),
        ({"tenantId": "acme", "communityId": "south"}, False),
    ],
)
def test_the_tenant_and_community_of_a_verdict_must_match_the_path(
    service: LicenseService, platform: Platform, named: dict[str, object], *, reached: bool
) -> None:
    platform.response = GOOD | named
    assert (service.find("key", NORTH) is not None) is reached


@pytest.mark.parametrize(
    ("named", "whose"),
    [
        ({"tenantId": "acme"}, "acme"),
        ({}, "*/north"),
        ({"tenantId": None}, "*/north"),
        ({"tenantId": "*"}, "*/north"),
    ],
)
def test_a_tenant_in_the_path_alone_pays_for_nothing(
    service: LicenseService, platform: Platform, named: dict[str, object], whose: str
) -> None:
    """The caller has written it: it may be a neighbour's, or another one in each request."""
    platform.response = GOOD | named
    found = service.find("key", NORTH)
    assert found is not None
    assert found.counts_for(NORTH) == whose


def test_a_verdict_is_cached_for_its_tenant_only(service: LicenseService, platform: Platform) -> None:
    platform.response = GOOD | {"tenantId": "acme"}
    assert service.find("key", NORTH)
    assert service.find("key", Scope("evil", "north")) is None
    assert service.find("key", NORTH)
    assert platform.paths.count("/licenses/community/north/licensecheck") == 2


def test_refusals_evict_no_license_and_expire_after_half_a_minute(
    service: LicenseService, platform: Platform, clock: Clock
) -> None:
    assert service.find("key", NORTH)
    platform.response = {"isAuthorized": False}
    for number in range(CACHE_SIZE + 1):
        assert service.find(f"unknown {number}", NORTH) is None
    asked = len(platform.paths)
    assert service.find("key", NORTH), "a verdict that holds is still known"
    assert service.find(f"unknown {CACHE_SIZE}", NORTH) is None
    assert len(platform.paths) == asked, "a refusal that is known is not asked for again"

    platform.response = GOOD
    clock.now += REFUSAL_SECONDS
    assert service.find(f"unknown {CACHE_SIZE}", NORTH), "a license that was issued meanwhile"


@pytest.mark.parametrize("status", [200, 401, 403])
def test_an_unauthorized_key_has_no_license(service: LicenseService, platform: Platform, status: int) -> None:
    platform.status, platform.response = status, {"isAuthorized": False}
    assert service.find("key", NORTH) is None


@pytest.mark.parametrize(
    ("expiry", "expires_at"),
    [
        (None, None),
        (1_900_000_000, 1_900_000_000),
        (1_900_000_000_500, 1_900_000_000),
        ("1900000000", 1_900_000_000),
        ("1900000000000", 1_900_000_000),
        ("2030-03-17T17:46:40Z", 1_900_000_000),
        ("2030-03-17T17:46:40", 1_900_000_000),
        ("2030-03-17T18:46:40.123+01:00", 1_900_000_000),
    ],
)
def test_an_end_is_read_in_every_usual_form(
    service: LicenseService, platform: Platform, expiry: object, expires_at: int | None
) -> None:
    platform.response = GOOD | {"expiry": expiry}
    found = service.find("key", NORTH)
    assert found is not None
    assert found.expires_at == expires_at


@pytest.mark.parametrize(
    ("status", "response"),
    [
        (500, GOOD),
        (302, GOOD),
        (200, "no JSON"),
        (200, "[" * 100_000),
        (200, []),
        (200, {}),
        (200, {"isAuthorized": "true"}),
        (200, {"isAuthorized": True}),
        (200, GOOD | {"authLevel": "king"}),
        (200, GOOD | {"authLevel": ["system"]}),
        (200, GOOD | {"expiry": "soon"}),
        (200, GOOD | {"expiry": True}),
        (200, GOOD | {"expiry": {}}),
        (200, '{"isAuthorized": true, "authLevel": "system", "expiry": 1e999}'),
    ],
)
def test_a_malformed_response_admits_no_caller(
    service: LicenseService, platform: Platform, status: int, response: object
) -> None:
    platform.status, platform.response = status, response
    with pytest.raises(UnavailableError, match="License service") as raised:
        service.find("a secret key", NORTH)
    assert "a secret key" not in str(raised.value)


def test_a_verdict_holds_for_ten_minutes_by_key_and_community(
    service: LicenseService, platform: Platform, clock: Clock
) -> None:
    first = service.find("key", NORTH)
    platform.response = {"isAuthorized": False}
    clock.now += 599
    assert service.find("key", NORTH) == first
    assert service.find("key", SOUTH) is None
    assert service.find("other", NORTH) is None
    clock.now += 2
    assert service.find("key", NORTH) is None


def test_an_unavailable_service_admits_only_earlier_callers(
    service: LicenseService, platform: Platform, clock: Clock
) -> None:
    first = service.find("key", NORTH)
    platform.status = 503
    platform.response = "down"
    assert service.find("key", NORTH) == first
    with pytest.raises(UnavailableError):
        service.find("other", NORTH)
    clock.now += 601
    with pytest.raises(UnavailableError):
        service.find("key", NORTH)


def test_a_service_with_a_reset_key_is_asked_again_with_the_new_key(
    service: LicenseService, platform: Platform
) -> None:
    assert service.find("key", NORTH)
    platform.keys = plain_protocol.new_key_pair()
    assert service.find("other", NORTH)
    assert platform.paths.count("/licenses/publickeys") == 2


def test_a_malformed_public_key_is_unavailable(service: LicenseService, platform: Platform) -> None:
    platform.keys = type("NoKeys", (), {"public": "AAAA"})()
    with pytest.raises(UnavailableError, match="public key cannot be used"):
        service.find("key", NORTH)


def test_a_closed_port_is_unavailable(clock: Clock) -> None:
    service = LicenseService(
        "http://127.0.0.1:1",
        keys=FakeKeyStore(KeyPairs(seed="", keys=(Key(OURS),))),
        own=FakeLicenses(),
        clock=clock,
        random_bytes=DistinctBytes(),
    )
    with pytest.raises(UnavailableError, match="the License service: NewConnectionError"):
        service.find("a key", NORTH)


def test_a_community_id_cannot_change_the_path(service: LicenseService, platform: Platform) -> None:
    service.find("key", Scope("acme", "../x?y#z"))
    assert platform.paths[-1] == "/licenses/community/..%2Fx%3Fy%23z/licensecheck"


@pytest.mark.parametrize("community", [".", ".."])
def test_a_community_id_with_a_path_segment_has_no_license(
    service: LicenseService, platform: Platform, community: str
) -> None:
    assert service.find("key", Scope("acme", community)) is None
    assert platform.paths == []
