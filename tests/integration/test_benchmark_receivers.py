"""The benchmarks' receivers: processes that respond as their paths say, and record or forget."""

import json
import ssl
import time

import urllib3

from benchmarks.null_receiver import HOST, null_receiver
from benchmarks.receiver_process import AFTER, CLOSE, DEAD, DOWN
from benchmarks.recording_receiver import HOOK, recording_receiver


def callback(event_id: str) -> bytes:
    return json.dumps({"id": event_id, "type": "order.paid"}).encode()


def test_the_recording_receiver_records_the_first_arrival_of_each_event() -> None:
    before = time.time()
    with recording_receiver() as receiver, urllib3.PoolManager(retries=False) as http:
        statuses = [
            http.request("POST", receiver.url + path, body=callback(event_id), timeout=5).status
            for path, event_id in ((HOOK, "a"), (HOOK, "a"), (HOOK, "b"), (DOWN, "c"), (f"{AFTER}50", "d"))
        ]
        arrivals = receiver.look()

        assert statuses == [200, 200, 200, 500, 200]
        assert set(arrivals) == {"a", "b"}
        assert all(before < at < time.time() for at in arrivals.values())
        assert receiver.repeated == 1
        receiver.forget()
        assert receiver.look() == {}


def test_a_dead_path_never_responds() -> None:
    with recording_receiver() as receiver, urllib3.PoolManager(retries=False) as http:
        try:
            http.request("POST", receiver.url + DEAD, body=callback("a"), timeout=0.2)
        except urllib3.exceptions.ReadTimeoutError:
            return
        raise AssertionError("it responded")


def test_the_null_receiver_keeps_connections_over_tls_but_for_one_path() -> None:
    with null_receiver() as receiver:
        context = ssl.create_default_context(cafile=str(receiver.authority))
        with urllib3.HTTPSConnectionPool(HOST, receiver.https, ssl_context=context, retries=False) as pool:
            paths = ("/hook", "/hook", CLOSE, "/hook")
            responses = [pool.request("POST", path, body=callback("a"), timeout=5) for path in paths]

            assert [response.status for response in responses] == [200] * 4
            closes = [response.headers.get("Connection") for response in responses]
            assert closes == [None, None, "close", None]
            assert pool.num_connections == 1
