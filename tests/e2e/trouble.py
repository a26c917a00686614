"""Trouble for the deployed stack: functions that do not run, releases with a fault, messages received often.

Each context puts back what it changed, also where a test fails: other tests share the stack.
"""

import io
import json
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.stack import Stack
from tests.e2e import permissions

ROOT = Path(__file__).parents[2]
ALIAS, LATEST = "live", "$LATEST"


@contextmanager
def not_running(stack: Stack, functions: Sequence[str]) -> Iterator[None]:
    """Let Lambda run none of these functions. The emulator then refuses calls without an alias alone."""
    client = stack.client("lambda")
    names = [permissions.physical_id(stack, each) for each in functions]
    for name in names:
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    try:
        yield
    finally:
        for name in names:
            client.delete_function_concurrency(FunctionName=name)


@contextmanager
def released(stack: Stack, faults: Mapping[str, tuple[str, str]]) -> Iterator[None]:
    """Publish functions with code before and after that of their app.py, and let them be called."""
    client = stack.client("lambda")
    before = {}
    for function, (first, last) in faults.items():
        name = permissions.physical_id(stack, function)
        before[function] = client.get_alias(FunctionName=name, Name=ALIAS)["FunctionVersion"]
        source = (ROOT / "functions" / _folder(function) / "app.py").read_text("utf-8")
        docstring, _, rest = source.partition('"""\n\n')
        # Beside its other files, but without their bytecode, which would be run in place of the source.
        built = _built(stack, function)
        files = {path: each for path, each in built.items() if not path.endswith(".pyc")}
        files["app.py"] = f'{docstring}"""\n{first}\n{rest}\n{last}\n'.encode()
        client.update_function_code(FunctionName=name, ZipFile=_zipped(files))
        version = client.publish_version(FunctionName=name)["Version"]
        client.update_alias(FunctionName=name, Name=ALIAS, FunctionVersion=version)
    try:
        yield
    finally:
        for function, version in before.items():
            name = permissions.physical_id(stack, function)
            client.update_alias(FunctionName=name, Name=ALIAS, FunctionVersion=version)
            client.update_function_code(FunctionName=name, ZipFile=_zipped(_built(stack, function)))


@contextmanager
def unread(stack: Stack, *queues: str) -> Iterator[None]:
    """Let no function read these queues, by the names of their outputs."""
    client = stack.client("lambda")
    mappings = [mapping_of(stack, queue) for queue in queues]
    for uuid in mappings:
        client.update_event_source_mapping(UUID=uuid, Enabled=False)
    time.sleep(1)  # until a poll that has begun has ended
    try:
        yield
    finally:
        for uuid in mappings:
            client.update_event_source_mapping(UUID=uuid, Enabled=True)


def mapping_of(stack: Stack, queue: str) -> str:
    """Return the id of the mapping that reads a queue, by the name of its output."""
    name = stack.outputs[queue].rpartition("/")[2]
    mappings = stack.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    [found] = [each["UUID"] for each in mappings if each["EventSourceArn"].endswith(f":{name}")]
    return str(found)


def receive_often(stack: Stack, queue: str, times: int) -> None:
    """Receive the messages of a queue so often, each time without keeping them."""
    sqs = stack.client("sqs")
    for _ in range(times):
        found = sqs.receive_message(
            QueueUrl=stack.outputs[queue], MaxNumberOfMessages=10, VisibilityTimeout=0
        )
        assert found.get("Messages"), f"{queue} is empty"


def invoke(stack: Stack, function: str, event: Any, *, version: str = ALIAS) -> dict[str, Any]:
    """Call a function as its schedule or the API does; return Lambda's answer, without raising its errors."""
    client = stack.client("lambda")
    name = permissions.physical_id(stack, function)
    try:
        found = client.invoke(FunctionName=name, Qualifier=version, Payload=json.dumps(event).encode())
    except client.exceptions.TooManyRequestsException:
        return {"throttled": True}
    payload = json.loads(found["Payload"].read() or b"null")
    return {"throttled": False, "failed": "FunctionError" in found, "payload": payload}


def sample(path: str) -> Any:
    """Return a sample of events/."""
    return json.loads((ROOT / "events" / path).read_text("utf-8"))


def _folder(function: str) -> str:
    return {"TestEventFunction": "test_event"}.get(function, function.removesuffix("Function").lower())


def _built(stack: Stack, function: str) -> dict[str, bytes]:
    """Return the files of a function as they were deployed."""
    folder = stack.folder / "build" / function
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def _zipped(files: Mapping[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()
