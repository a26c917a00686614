"""Each step of `make run` that fails says which step it was and names the log to read."""

import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from local import commands, demo, function_logs, processes, stack_file
from local.emulator import Emulator, free_port, require_free
from local.errors import LocalError
from local.stack import Stack

PUBLISHED = {"an-id": ("native.json", 0.0)}


@contextmanager
def server(status: int, body: object) -> Iterator[str]:
    """Run an HTTP server that responds to every GET alike."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *args: Any) -> None:
            """Stay silent."""

    with HTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{running.server_port}"
        finally:
            running.shutdown()
            thread.join()


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """A stack whose emulator does not run."""
    return Stack(tmp_path, port=free_port())


@pytest.fixture
def stack_with_process(stack: Stack) -> Iterator[Stack]:
    """A stack with a process in the emulator's place."""
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    record = stack.emulator.record
    processes.start(sleep, environment={}, log=stack.emulator.log, record=record, port=stack.port)
    yield stack
    processes.stop(record, patience=1)


def message(raised: pytest.ExceptionInfo[LocalError]) -> str:
    return str(raised.value)


@pytest.mark.parametrize("program", ["the AWS emulator", "the sample receiver"])
def test_a_taken_port_is_named_with_its_program_and_another_port(program: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(LocalError) as raised:
            require_free(port, program=program)
    assert message(raised).startswith(f"{program} cannot use port {port}: ")
    assert f"make run PORT={port + 10}" in message(raised)


def test_the_log_of_an_emulator_that_ends_early_is_named_and_shown(tmp_path: Path) -> None:
    emulator = Emulator(tmp_path, environment={"PYTHONHOME": "/there-is-no-python-here"})
    with pytest.raises(LocalError) as raised:
        emulator.start(free_port())
    assert message(raised).startswith(f"the AWS emulator ended while it started; read {emulator.log}\n")
    assert "No module named 'encodings'" in message(raised)


def test_the_log_of_an_emulator_that_ends_during_a_build_is_named(stack: Stack) -> None:
    with pytest.raises(LocalError) as raised:
        stack.build("a digest", [])
    assert message(raised).startswith(
        f"the AWS emulator ended during `sam build`; read {stack.emulator.log} (emulator.log is empty)"
    )


def test_a_failed_build_names_the_logs_of_sam_and_of_the_emulator(stack_with_process: Stack) -> None:
    stack = stack_with_process
    with pytest.raises(LocalError) as raised:
        stack.build("a digest", ["no parameter"])
    log = stack.folder / "sam-build.log"
    assert message(raised).startswith(
        "`sam build` failed (`make reset` and `make run` begin anew if it fails again)"
    )
    assert f"; read {log} and {stack.emulator.log}\nsam-build.log ends:\n" in message(raised)
    assert "no parameter" in message(raised)


def test_a_deployment_without_an_emulator_names_its_log(stack: Stack) -> None:
    with pytest.raises(LocalError) as raised:
        stack.deploy("a digest", [])
    assert message(raised).startswith("a call of the AWS emulator failed: ")
    assert f"; read {stack.emulator.log}" in message(raised)


def test_outputs_without_an_emulator_name_its_log(stack: Stack) -> None:
    with pytest.raises(LocalError) as raised:
        _ = stack.outputs
    assert message(raised).startswith("the AWS emulator does not respond: ")
    assert f"; read {stack.emulator.log}" in message(raised)


def test_a_function_that_fails_is_named_with_all_logs_to_read(
    stack: Stack,
) -> None:
    with (
        server(502, {"message": "Internal server error"}) as url,
        pytest.raises(LocalError) as raised,
        commands.logs_named(stack),
    ):
        stack_file.public_key(url)
    assert message(raised).startswith("GET /publickeys returned 502 without a key: ")
    for log in (stack.folder / "functions.log", commands.RECEIVER_LOG, stack.emulator.log):
        assert str(log) in message(raised)


def test_an_api_that_does_not_respond_is_named() -> None:
    with pytest.raises(LocalError, match=r"^GET /publickeys failed: "):
        stack_file.public_key(f"http://127.0.0.1:{free_port()}")


def test_a_callback_that_does_not_arrive_is_named() -> None:
    with server(200, []) as url, pytest.raises(LocalError) as raised:
        demo.wait_for(PUBLISHED, url, seconds=0.1)
    assert message(raised) == "the callback of native.json did not arrive within 0.1 s"


def test_a_callback_that_does_not_verify_is_named() -> None:
    callback = {"wrong": ["webhook-signature has no v1 token"], "verified": [], "body": "{}", "receivedAt": 1}
    with pytest.raises(LocalError, match=r"^the callback of native\.json does not verify: .*no v1 token"):
        demo.shown(callback, sample="native.json", sent_at=0)


def test_a_receiver_that_does_not_respond_is_named() -> None:
    with pytest.raises(LocalError, match=r"^the sample receiver does not respond: "):
        demo.wait_for(PUBLISHED, f"http://127.0.0.1:{free_port()}", seconds=0.1)


class StackInMoto(Stack):
    """A stack whose AWS clients moto answers."""

    def client(self, service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]  # one overload for each service
            service, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
        )


@mock_aws
def test_functions_logs_are_saved_in_order_of_time(tmp_path: Path) -> None:
    stack = StackInMoto(tmp_path, port=free_port())
    logs = stack.client("logs")
    began = time.time()
    lines: dict[str, list[tuple[float, str]]] = {
        "fanout": [(1, "first"), (2.5, "END RequestId: 1"), (3, "third")],
        "dispatcher": [(2, "second"), (-60, "long before")],
    }
    for function, events in lines.items():
        names = {"logGroupName": f"/webhooks-local/{function}", "logStreamName": "live"}
        logs.create_log_group(logGroupName=names["logGroupName"])
        logs.create_log_stream(**names)
        put = [{"timestamp": int((began + at) * 1000), "message": text} for at, text in sorted(events)]
        logs.put_log_events(**names, logEvents=put)

    file = function_logs.save(stack, since=began)

    assert file.read_text() == "fanout: first\ndispatcher: second\nfanout: third\n"
