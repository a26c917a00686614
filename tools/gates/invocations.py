"""Every function, started from its built artefact alone and called with a sample event, without AWS."""

import json
import re
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.errors import LocalError
from local.paths import EVENTS
from tools.artefacts import runtime
from tools.artefacts.build import Build
from tools.gates.gate import GateError

REFERENCE = re.compile(r"\$\{([\w:.]+)\}")
INITIALISED = re.compile(r"INIT REPORT\(durationMs: ([\d.]+)\)")
IMPORT_ERROR = re.compile(
    r"Runtime\.(ImportModuleError|UserCodeSyntaxError|HandlerNotFound|Unknown)|INIT RTDONE\(status: error"
)
AT_ONCE = 2  # functions are started; each start takes a second of CPU
TRIES = 3  # another program may take a port between its choice and its use
LINES_SHOWN = 15
# Nothing listens there: each call of AWS ends at once.
NO_AWS = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_MAX_ATTEMPTS": "1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
BATCH = "batchItemFailures"


@dataclass(frozen=True, slots=True)
class Sample:
    """An event, and the result that the function must give without AWS."""

    event: str
    expected: str


SAMPLES = {
    "ConsoleFunction": Sample("api/console.json", "200"),
    "DeliveriesFunction": Sample("api/fetch_deliveries.json", "503"),
    "DiscoveryFunction": Sample("api/healthz.json", "503"),
    "DispatcherFunction": Sample("sqs/dispatcher.json", BATCH),
    "EcdsaHelperFunction": Sample("api/encrypt.json", "200"),
    "EventsFunction": Sample("api/publish_event.json", "503"),
    "FanoutFunction": Sample("sqs/fanout.json", BATCH),
    "MaintenanceFunction": Sample("schedule/maintenance.json", "UnavailableError"),
    "RecoveryFunction": Sample("sqs/recovery.json", BATCH),
    "ServiceKeysFunction": Sample("api/list_service_keys.json", "503"),
    "TestEventFunction": Sample("api/send_test_event.json", "503"),
    "WebhooksFunction": Sample("api/fetch_webhooks.json", "503"),
}


@dataclass(frozen=True, slots=True)
class Called:
    """The response of a function, and the milliseconds of its init."""

    response: Any
    init_ms: float


def check(build: Build, template: Mapping[str, Any]) -> str:
    """Return the slowest and the fastest init. Raises GateError with each function that failed."""
    functions = build.functions()
    if sys.platform != "linux":
        return "functions NOT CALLED: Lambda's emulator is a program for Linux"
    with tempfile.TemporaryDirectory() as folder:
        paths = runtime.lay_out(build, Path(folder))

        def one(name: str) -> Called | str:
            try:
                return invoke(functions[name], paths, variables(template, name), sample(name))
            except GateError as error:
                return f"{name}: {error}"

        with ThreadPoolExecutor(AT_ONCE) as pool:
            called = dict(zip(functions, pool.map(one, functions), strict=True))
    findings = [each for each in called.values() if isinstance(each, str)]
    if findings:
        raise GateError("\n".join(findings))
    inits = {name: each.init_ms for name, each in called.items() if isinstance(each, Called)}
    shown = ", ".join(f"{name.removesuffix('Function')} {ms:.0f}" for name, ms in inits.items())
    return f"{len(functions)} functions start and respond; init in ms: {shown}"


def sample(name: str) -> Sample:
    """Return the function's event. Raises GateError."""
    if name not in SAMPLES:
        raise GateError(f"has no sample in {Path(__file__).name}")
    return SAMPLES[name]


def variables(template: Mapping[str, Any], name: str) -> dict[str, str]:
    """Return the variables that the translated template gives to the function: exactly these."""
    given = template["Resources"][name]["Properties"]["Environment"]["Variables"]
    defaults = {each: str(parameter["Default"]) for each, parameter in template["Parameters"].items()}
    return {variable: _value(each, defaults) for variable, each in given.items()}


def _value(value: Any, parameters: Mapping[str, str]) -> str:
    match value:
        case str():
            return value
        case {"Ref": name} if name.endswith(("Queue", "Dlq")):
            return f"https://sqs.us-east-1.amazonaws.com/000000000000/{name}"
        case {"Ref": name} | {"Fn::GetAtt": [name, *_]}:
            return parameters.get(name, name)
        case {"Fn::Sub": str(text)}:
            return REFERENCE.sub(lambda found: parameters.get(found[1], found[1]), text)
        case {"Fn::If": [_, _, otherwise]}:  # conditions are false by default
            return _value(otherwise, parameters)
    return str(value)


def invoke(function: Path, paths: runtime.Paths, environment: Mapping[str, str], sample: Sample) -> Called:
    """Start a function and call it once. Raises GateError where it does not start or gives another result."""
    event = (EVENTS / sample.event).read_bytes()
    for tries in range(1, TRIES + 1):
        with tempfile.TemporaryFile("w+", encoding="utf-8") as log:
            try:
                with (
                    runtime.started(function, paths, {**environment, **NO_AWS}, log) as (_, port),
                    closing(runtime.call(port, event)) as connection,
                ):
                    body = connection.getresponse().read()
            except (OSError, LocalError) as error:
                if tries < TRIES:
                    continue
                body = str(error).encode()
            log.seek(0)
            text = log.read()
        break
    init = INITIALISED.search(text)
    try:
        response = json.loads(body)
    except ValueError:
        response = {"errorMessage": body.decode("utf-8", "replace")}
    if init is None or IMPORT_ERROR.search(text) or result(response) != sample.expected:
        ending = "\n".join(f"  | {line[:300]}" for line in text.splitlines()[-LINES_SHOWN:])
        raise GateError(f"responded with {json.dumps(response)[:300]}, not {sample.expected}\n{ending}")
    return Called(response, float(init[1]))


def result(response: Any) -> str:
    """Return the response's kind: a status of the API, a batch's, or a raised error."""
    match response:
        case {"statusCode": int(status), "body": str()}:
            return str(status)
        case {"batchItemFailures": list()}:
            return BATCH
        case {"errorType": str(error)}:
            return error
    return "another"
