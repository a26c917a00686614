"""A batch of requests at the same time: one hostile endpoint costs its batch mates nothing."""

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import pytest

from tests.calls import LOOPBACK, EndpointClient, calling, post, results
from tests.receiver import Connection, Received, Receiver, Script, drip, mute, raw, reply, reset, stall
from webhooks.adapters.http.egress_guard import EgressGuard, Lookup, Target
from webhooks.domain.http import HttpOutcome, HttpRequest, HttpResponse, NoResponse, NoResponseReason
from webhooks.ports import Call, Conversation, Shared

OK = b"HTTP/1.1 200 OK\r\n"
SECONDS = 1.0
DEADLINE = 5.0  # the deployment's default: seconds that leave a busy machine its time
CPU_SECONDS = 0.02  # of the loop for a hostile endpoint; half of it here, and no more for a larger response
SLOW_SECONDS = 1.0  # where the slow lane begins


@pytest.fixture
def client() -> Iterator[EndpointClient]:
    with calling() as client:
        yield client


HOSTILE = {
    "interim": raw(b"HTTP/1.1 102\r\n\r\n" * 4_062, keep_open=True),
    "tabs": raw(OK + b"X:" + b"\t" * 60_000 + b"\r\n\r\n", keep_open=True),
    "lines": raw(OK + b"C:\r\n" * 16_000, keep_open=True),
    "body": raw(OK + b"\r\n" + b"x" * 100_000, keep_open=True),
    "chunks": raw(OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 20_000, keep_open=True),
    "extensions": raw(OK + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"y" * 10_000_000, keep_open=True),
    "drip": drip(OK + b"X: " + b"y" * 1_000, every=0.001),
    "silence": stall,
    "reset": reset,
    "rubbish": raw(b"\x00" * 60_000, keep_open=True),
}


@dataclass
class Ended:
    """The outcomes of a batch in the order of their ends, each with the CPU seconds of the loop until then."""

    since: float = field(default_factory=time.thread_time)
    outcomes: list[tuple[HttpOutcome, float]] = field(default_factory=list)

    def call(self, request: HttpRequest, seconds: float) -> Conversation[HttpOutcome]:
        outcome = yield Call(request, seconds)
        self.outcomes.append((outcome, time.thread_time() - self.since))
        return outcome


def at_deadline(outcome: HttpOutcome) -> bool:
    return isinstance(outcome, NoResponse) and outcome.reason is NoResponseReason.DEADLINE


@pytest.mark.parametrize("script", HOSTILE.values(), ids=HOSTILE)
def test_ninety_hostile_endpoints_neither_fail_nor_delay_the_others(
    client: EndpointClient, script: Script
) -> None:
    with Receiver() as hostile, Receiver() as well:
        hostile.script(script)
        requests = [post(f"{hostile.url}/")] * 90 + [post(well.url)] * 10
        client.send_each(requests[90:], seconds=DEADLINE)
        ended = Ended()

        responses = results(client, [ended.call(each, DEADLINE) for each in requests])

        spent = time.thread_time() - ended.since
    others = responses[90:]
    assert [getattr(response, "status", response) for response in others] == [200] * 10
    # No hostile endpoint holds the loop: neither until its deadline nor with work.
    ids = {id(each) for each in others}
    last = max(place for place, (outcome, _) in enumerate(ended.outcomes) if id(outcome) in ids)
    assert not any(at_deadline(outcome) for outcome, _ in ended.outcomes[:last])
    assert ended.outcomes[last][1] < SLOW_SECONDS
    assert max(response.latency_ms for response in responses) < 2 * DEADLINE * 1_000
    assert spent < 90 * CPU_SECONDS


def test_every_kind_of_hostile_endpoint_ends_on_time_and_is_named(client: EndpointClient) -> None:
    with ExitStack() as stack:
        silent = stack.enter_context(Receiver(greeting=mute))
        bad, well = stack.enter_context(Receiver()), stack.enter_context(Receiver())
        for name, script in HOSTILE.items():
            bad.script(script, path=f"/{name}")
        requests = [
            *(post(f"{bad.url}/{name}") for name in HOSTILE),
            post(f"https://127.0.0.1:{silent.port}/"),
            post("https://10.0.0.1/"),
            post("http://127.0.0.1:1/"),
            post(well.url),
        ]
        ended = Ended()
        responses = results(client, [ended.call(each, SECONDS) for each in requests])

    said = [
        response.status if isinstance(response, HttpResponse) else response.reason.value
        for response in responses
    ]
    assert said == [
        *("malformed", "deadline", "malformed", 200, 200, 200, "deadline", "deadline", "reset", "malformed"),
        *("deadline", "refused", "connect", 200),
    ]
    late = [at_deadline(outcome) for outcome, _ in ended.outcomes]
    assert late == sorted(late)  # all others ended before
    assert all(
        SECONDS * 1_000 <= each.latency_ms < 2_000 * SECONDS for each in responses if at_deadline(each)
    )


def test_a_hanging_lookup_delays_no_other_delivery() -> None:
    release = threading.Event()

    def resolve(host: str, _port: None, **_kind: Any) -> list[tuple[Any, ...]]:
        if host == "slow.example":
            release.wait(10 * DEADLINE)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]

    with Receiver() as receiver, EndpointClient(EgressGuard(LOOPBACK, resolve=resolve)) as client:
        hosts = ["slow.example", *(f"host{number}.example" for number in range(20))]
        started = time.monotonic()
        slow, *others = client.send_each(
            [post(f"http://{host}:{receiver.port}/") for host in hosts], seconds=2 * SECONDS
        )
        took = time.monotonic() - started
        release.set()

    assert isinstance(slow, NoResponse)
    assert (slow.reason, slow.detail) == (NoResponseReason.DEADLINE, "the time was up: resolving the host")
    assert all(isinstance(response, HttpResponse) for response in others)
    assert 2 * SECONDS <= took < DEADLINE  # it waits for no lookup


def test_each_request_has_its_own_deadline(client: EndpointClient) -> None:
    ended = Ended()
    with Receiver() as receiver:
        receiver.script(stall)
        responses = results(client, [ended.call(post(receiver.url), seconds) for seconds in (0.2, 0.6, 0.4)])

    short, long, middle = responses
    assert [outcome for outcome, _ in ended.outcomes] == [short, middle, long]
    for response, seconds in zip(responses, (0.2, 0.6, 0.4), strict=True):
        assert at_deadline(response)
        assert response.latency_ms >= seconds * 1_000


def test_results_come_as_their_conversations_end(client: EndpointClient) -> None:
    def talk(delay: str) -> Conversation[tuple[str, int, int]]:
        first = yield Call(post(f"{receiver.url}/{delay}"), 2)
        second = yield Call(post(receiver.url), 2)
        assert isinstance(first, HttpResponse)
        assert isinstance(second, HttpResponse)
        return delay, first.status, second.status

    with Receiver() as receiver:
        receiver.script(reply(503, delay=0.2), path="/slow")
        assert list(client.send_all([talk("slow"), talk("quick")])) == [
            [("quick", 200, 200)],
            [("slow", 503, 200)],
        ]
        assert list(client.send_all([])) == []


def test_conversations_without_a_call_give_their_results_at_once(client: EndpointClient) -> None:
    def silent() -> Conversation[str | int]:
        yield from ()
        return "no call"

    def talk() -> Conversation[str | int]:
        response = yield Call(post(receiver.url), 2)
        assert isinstance(response, HttpResponse)
        return response.status

    with Receiver() as receiver:
        receiver.script(reply(delay=0.2))
        given = list(client.send_all([talk(), silent()]))

    assert list(chain(*given)) == ["no call", 200]
    assert given[0] == ["no call"]
    assert list(client.send_all([silent()])) == [["no call"]]


def test_a_group_of_results_comes_every_pause_while_endpoints_are_slow(client: EndpointClient) -> None:
    def call() -> Conversation[int]:
        response = yield Call(post(receiver.url), 2 * DEADLINE)
        assert isinstance(response, HttpResponse)
        return response.status

    released = threading.Event()

    def respond(connection: Connection, received: Received) -> bool:
        released.wait(DEADLINE)
        return reply()(connection, received)

    with Receiver() as receiver:
        receiver.script(respond)
        started = time.monotonic()
        times: list[float] = []
        given: list[Sequence[int]] = []
        for ended in client.send_all([call()], pause=0.2):
            times.append(time.monotonic() - started)
            given.append(ended)
            if len(given) == 2:
                released.set()

    assert given[:2] == [[], []]
    assert [each for each in given if each] == [given[-1]] == [[200]]
    assert all(at >= due for at, due in zip(times, (0.2, 0.4), strict=False))


def test_an_internal_error_in_a_conversation_leaves_nothing_behind(client: EndpointClient) -> None:
    def fail() -> Conversation[None]:
        yield Call(post(receiver.url), 2)
        raise KeyError("ours")

    def wait() -> Conversation[None]:
        yield Call(post(f"{receiver.url}/stall"), 2)

    with Receiver() as receiver:
        receiver.script(stall, path="/stall")
        with pytest.raises(KeyError, match="ours"):
            list(client.send_all([wait(), fail()]))
        receiver.wait_for(2)
        assert isinstance(client.send(post(receiver.url), seconds=2), HttpResponse)


def test_an_internal_error_in_a_call_is_raised_in_its_own_conversation() -> None:
    class Faulty(EgressGuard):
        def begin(self, url: str) -> Target | Lookup:
            if "faulty" in url:
                raise KeyError("begin")
            return super().begin(url)

    def call(url: str) -> Conversation[HttpOutcome | KeyError]:
        try:
            outcome = yield Call(post(url), 2)
        except KeyError as error:
            return error
        return outcome

    with Receiver() as receiver, EndpointClient(Faulty(LOOPBACK)) as client:
        error, response = results(client, [call("http://faulty.example/"), call(receiver.url)])

    assert isinstance(error, KeyError)
    assert isinstance(response, HttpResponse)


def test_an_internal_error_in_a_shared_call_fails_no_other_conversation(client: EndpointClient) -> None:
    def fail(_outcome: HttpOutcome) -> None:
        raise KeyError("done")

    def call(url: str, shared: Shared | None) -> Conversation[HttpOutcome | KeyError]:
        try:
            outcome = yield Call(post(url), 2, shared=shared)
        except KeyError as error:
            return error
        return outcome

    with Receiver() as receiver:
        shared = Shared("token", 2, fail)
        receiver.script(reply(200, delay=0.2), path="/other")
        calls = [call(receiver.url, shared), call(receiver.url, shared), call(f"{receiver.url}/other", None)]
        *errors, response = results(client, calls)

    assert [type(error) for error in errors] == [KeyError, KeyError]
    assert isinstance(response, HttpResponse)


def test_phase_times_show_the_time_of_each_phase(client: EndpointClient) -> None:
    looked_up: list[str] = []

    def resolve(host: str, _port: None, **_kind: Any) -> list[tuple[Any, ...]]:
        looked_up.append(host)
        time.sleep(0.1)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]

    with Receiver() as receiver, EndpointClient(EgressGuard(LOOPBACK, resolve=resolve)) as slow:
        receiver.script(reply(200, delay=0.2), stall)
        url = f"http://host.example:{receiver.port}/"
        first = slow.send(post(url), seconds=DEADLINE)
        second = slow.send(post(url), seconds=0.6)

    assert first.times
    assert second.times
    lookup, connect, tls, first_byte, total = first.times
    assert 100 <= lookup <= connect <= first_byte - 200
    assert tls == 0
    assert first_byte <= total == first.latency_ms
    assert second.times.lookup < lookup
    assert looked_up == ["host.example"]
    assert second.times.first_byte == 0  # nothing came
    assert second.times.total >= 600
