"""Resets of the service's key, second by second: the README's own verifiers accept every callback.

Instances of dispatcher and discovery with caches and clocks of their own, over one secret of moto's. A receiver
verifies by the key that some instance of /publickeys showed at some time since the first reset.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import pytest

from signing import Curve, PrivateKey
from tests.aws_stub.faulty_clients import FaultyClients, fail, forever
from tests.contract.backends import Backend, backend_named
from tests.random_bytes import salted_bytes
from tests.readme_verifiers import VERIFIERS, Case
from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.secrets_manager.key_store import SecretKeyStore, SecretMaster
from webhooks.domain.delivery import Delivery
from webhooks.domain.errors import UnavailableError
from webhooks.domain.http import HttpRequest
from webhooks.domain.key_parts import SERVICE_PART, SIGNING_PART
from webhooks.domain.keyring import AHEAD, NOTICE, service_keys, signing_keys
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Definition, Endpoint, Webhook
from webhooks.ports import Clock
from webhooks.services.discovery import Discovery
from webhooks.services.dispatch.callback_request import CallbackSigner
from webhooks.services.service_keys import SERVICE, SIGNING, ServiceKeys
from webhooks_verify import verify_callback

GRACE = 300  # seconds
UNDER_WAY = 5  # seconds from signing to verifying: the longest time that an endpoint has
SKEW = 1.0  # seconds that an instance's clock is off
# Seconds before the first reset at which an instance read the keys: caches are 30 s, these end all over them.
READ_BEFORE = (0.5, 10.0, 29.5)
WEBHOOK = Webhook(
    id="6ab13b8000000001f5b16522",
    scope=Scope("acme", "main"),
    definition=Definition(
        event_names=("order.paid",),
        name="orders",
        endpoint=Endpoint("https://hooks.example.com/in"),
        success_codes=(200,),
        created_by="tests",
    ),
    created_at=0,
)
parse_service_keys = partial(service_keys, curve=Curve.SECP256K1)


def clock_of(backend: Backend, skew: float) -> Clock:
    return lambda: backend.clock.now + skew


@dataclass
class Stores:
    """The three secrets, or the one for all, and instances that read them."""

    backend: Backend
    clients: AwsClients
    names: Mapping[str, str]

    def service(self, clock: Clock) -> SecretKeyStore:
        return SecretKeyStore(
            self.clients, self.names["service"], parse=parse_service_keys, part=SERVICE_PART, clock=clock
        )

    def signing(self, clock: Clock) -> SecretKeyStore:
        return SecretKeyStore(
            self.clients, self.names["signing"], parse=signing_keys, part=SIGNING_PART, clock=clock
        )

    def signer(self, clock: Clock) -> CallbackSigner:
        return CallbackSigner(
            service=self.service(clock),
            signing=self.signing(clock),
            master=SecretMaster(self.clients, self.names["master"], clock=clock),
        )

    def discovery(self, clock: Clock) -> Discovery:
        return Discovery(
            service_keys=self.service(clock), signing_keys=self.signing(clock), probes={}, clock=clock
        )

    def use_case(self) -> ServiceKeys:
        clock = self.backend.clock
        stores = {SERVICE: self.service(clock), SIGNING: self.signing(clock)}
        return ServiceKeys(stores, clock=clock, random_bytes=salted_bytes(), grace=GRACE)


@pytest.fixture(params=["separate", "one"])
def stores(request: pytest.FixtureRequest) -> Iterator[Stores]:
    with backend_named("moto") as backend:
        names = ("service", "signing", "master")
        if request.param == "one":
            secrets = dict.fromkeys(
                names, backend.secret("seeds", json.dumps({"parts": {}, "seed": "s" * 64}))
            )
        else:
            secrets = {name: backend.secret(name, json.dumps({"seed": name * 10})) for name in names}
        yield Stores(backend, backend.clients, secrets)


def delivery(second: float) -> Delivery:
    return Delivery(
        id=f"d-{round(second)}", event_id="e", event_name="order.paid", log_time=0, body='{"a":1}'
    )


@dataclass
class Timeline:
    """Callbacks and keys of the instances, by the second since the first reset."""

    callbacks: list[tuple[float, HttpRequest]] = field(default_factory=list)
    shown: list[tuple[float, str]] = field(default_factory=list)
    jwks: list[tuple[float, str]] = field(default_factory=list)
    until: dict[str, float] = field(default_factory=dict)  # the end of each key's grace

    def keys_known_at(self, second: float) -> set[str]:
        """Every key that a receiver can hold for a callback signed then, the newest while the callback is under way."""
        return {key for at, key in self.shown if 0 <= at <= second + UNDER_WAY}

    def jwks_known_at(self, second: float, *, for_seconds: float) -> set[str]:
        """Every JWKS that a receiver can hold which keeps one for so long."""
        return {document for at, document in self.jwks if second - for_seconds <= at <= second + UNDER_WAY}


def play(stores: Stores, tag: str, resets: Sequence[int], *, watched: Sequence[float]) -> Timeline:
    """Reset the key of a tag at these seconds; sign at the watched seconds and show at every one."""
    clock, began = stores.backend.clock, stores.backend.clock.now
    timeline, use_case = Timeline(), stores.use_case()
    current = next(each.pair for each in use_case.list() if each.tag == tag).public_key.to_base64()
    instances = []
    for read_before in sorted(READ_BEFORE, reverse=True):
        clock.now = began - read_before
        for skew in (-SKEW, SKEW):
            its_clock = clock_of(stores.backend, skew)
            signer, discovery = stores.signer(its_clock), stores.discovery(its_clock)
            signer.refresh()
            timeline.jwks.append((-read_before, json.dumps(discovery.jwks())))
            discovery.public_key()
            instances.append((its_clock, signer, discovery))
    for second in sorted({*range(int(max(watched)) + UNDER_WAY + 1), *watched}):
        clock.now = began + second
        for number in range(resets.count(int(second)) if second == int(second) else 0):
            timeline.until[current] = second + NOTICE + GRACE
            fresh = use_case.reset(current, idempotency_key=f"request {second} {number}")
            current = fresh.pair.public_key.to_base64()
        for its_clock, signer, discovery in instances:
            timeline.shown.append((second, discovery.public_key()))
            timeline.jwks.append((second, json.dumps(discovery.jwks())))
            if second in watched:
                signer.refresh()
                request = signer.request(WEBHOOK, delivery(second), now=its_clock())
                timeline.callbacks.append((second, request))
    timeline.until[current] = math.inf
    return timeline


def seconds_to_watch(resets: Sequence[int]) -> list[float]:
    """Every second of three minutes, and the times around the end of each grace."""
    ends = [reset + NOTICE + GRACE for reset in resets]
    return [*range(181), *(end + off for end in ends for off in (-2, -1.5, 1.5, 2)), ends[-1] + 60]


@pytest.mark.parametrize("resets", [(0,), (0, 0), (0, 20), (0, 60), (0, 90)], ids=str)
def test_the_readme_code_verifies_with_every_key_since_the_first_reset(
    stores: Stores, resets: Sequence[int]
) -> None:
    timeline = play(stores, SERVICE, resets, watched=seconds_to_watch(resets))

    cases, expected = [], []
    for second, request in timeline.callbacks:
        for key in timeline.keys_known_at(second):
            cases.append(Case(key, request.headers, request.body))
            expected.append(second < timeline.until[key])
    for language, verify in VERIFIERS.items():
        assert [
            (language, case.public_key[:8], case.headers["webhook-id"], verdict)
            for case, verdict, right in zip(cases, verify(cases), expected, strict=True)
            if verdict is not right
        ] == []
    never_shown = resets == (0, 0)  # the key in between is replaced before it is in use
    assert len({case.public_key for case in cases}) == len(resets) + 1 - never_shown
    assert expected.count(False) > 0, "a key whose grace is over verifies nothing any more"


@pytest.mark.parametrize(
    ("resets", "kept"),
    [
        ((0,), 400),  # the key that the first reset brings up was in the JWKS long before
        ((0, 0), 25),  # the next one only since then: it signs once every JWKS has shown it for half a minute
        ((0, 20), 25),
        ((0, 90), 25),
    ],
    ids=str,
)
def test_the_http_signature_verifies_with_every_jwks_of_the_grace(
    stores: Stores, resets: Sequence[int], kept: float
) -> None:
    watched = seconds_to_watch(resets)
    timeline = play(stores, SIGNING, resets, watched=watched)

    used = set()
    for second, request in timeline.callbacks:
        for jwks in timeline.jwks_known_at(second, for_seconds=kept):
            verified = verify_callback(
                method="POST",
                url=request.url,
                headers=request.headers,
                body=request.body,
                jwks=json.loads(jwks),
                now=int(stores.backend.clock.now - max(watched) - UNDER_WAY + second),
            )
            assert verified == ["rfc9421"]
        used.add(request.headers["Signature-Input"].partition("keyid=")[2][:45])
    assert len(used) == len(resets) + 1 - (resets == (0, 0))


def test_a_callback_has_a_second_signature_only_while_two_keys_are_valid(stores: Stores) -> None:
    end = NOTICE + GRACE
    watched = [0, NOTICE - AHEAD - 2, NOTICE, end - 2, end + 2]
    timeline = play(stores, SERVICE, (0,), watched=watched)
    tokens = {
        (second, request.headers["webhook-signature"].count("es256k,"))
        for second, request in timeline.callbacks
    }
    assert sorted(tokens) == list(zip(watched, (1, 1, 2, 2, 1), strict=True))


def test_a_refreshed_signer_makes_no_aws_call_during_its_batch(stores: Stores) -> None:
    clients = FaultyClients(stores.backend.clients)
    signer = Stores(stores.backend, clients, stores.names).signer(stores.backend.clock)
    signer.refresh()
    assert clients.calls == ["get_secret_value"] * 3
    for second in range(0, 1000, 100):
        stores.backend.clock.now += second
        signer.request(WEBHOOK, delivery(second), now=stores.backend.clock())
    assert len(clients.calls) == 3
    signer.refresh()
    assert len(clients.calls) == 6


def test_a_signer_that_was_never_refreshed_reads_its_keys_once(stores: Stores) -> None:
    clients = FaultyClients(stores.backend.clients)
    signer = Stores(stores.backend, clients, stores.names).signer(stores.backend.clock)
    for second in range(3):
        signer.request(WEBHOOK, delivery(second), now=stores.backend.clock())
    assert clients.calls == ["get_secret_value"] * 3


def signed_by_keys(signer: CallbackSigner) -> HttpRequest:
    """Return a callback without its signature on P-256, which is another one each time."""
    request = signer.request(WEBHOOK, delivery(0), now=0)
    headers = {name: value for name, value in request.headers.items() if name != "Signature"}
    return replace(request, headers=headers)


def test_the_last_known_keys_sign_while_secrets_manager_is_away(stores: Stores) -> None:
    clients = FaultyClients(stores.backend.clients)
    signer = Stores(stores.backend, clients, stores.names).signer(stores.backend.clock)
    signer.refresh()
    before = signed_by_keys(signer)
    away = FaultyClients(stores.backend.clients, get_secret_value=forever(fail("InternalServiceError")))
    clients.replacements = away.replacements
    stores.backend.clock.now += 3600

    signer.refresh()

    assert signed_by_keys(signer) == before
    with pytest.raises(UnavailableError, match="InternalServiceError"):
        Stores(stores.backend, away, stores.names).signer(stores.backend.clock).refresh()


@pytest.mark.parametrize("language", VERIFIERS)
def test_the_readme_code_refuses_forged_callbacks(stores: Stores, language: str) -> None:
    signer = stores.signer(stores.backend.clock)
    request = signer.request(WEBHOOK, delivery(0), now=0)
    key = stores.service(stores.backend.clock).read().current.public_key.to_base64()
    other = PrivateKey.derive(b"o" * 48, b"other", Curve.SECP256K1).public_key.to_base64()
    unsigned = {**request.headers, "webhook-signature": "v1,AAAA"}

    verdicts = VERIFIERS[language](
        [
            Case(key, request.headers, request.body),
            Case(key, request.headers, request.body + b" "),
            Case(other, request.headers, request.body),
            Case(key, {**request.headers, "webhook-timestamp": "1"}, request.body),
            Case(key, unsigned, request.body),
        ]
    )

    assert verdicts == [True, False, False, False, False]
