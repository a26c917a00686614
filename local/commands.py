"""run, stop, status and reset: the commands for the one local stack of this project."""

import fcntl
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local import demo, emulator, function_logs, log_entry, processes, samples, seed, stack_file
from local.console_link import ready_link
from local.errors import LocalError, failed
from local.paths import CALLER_FILE, LOCAL, ROOT, STACK_FILE
from local.progress import Progress
from local.stack import Stack
from local.traffic import Traffic

FOLDER = LOCAL / "stack"
SETTINGS = FOLDER / "settings.json"  # port and licenses, for the next run
KNOWN = FOLDER / "receiver-knows.json"
RECEIVER_RECORD = FOLDER / "receiver.json"
RECEIVER_LOG = FOLDER / "receiver.log"
DEFAULT_PORT = 4580
WEBHOOK_SHOWN = "orders"  # of the demo
RECEIVER_SECONDS = 15
STOP_SECONDS = 10


def run(port: int | None, progress: Progress) -> None:
    """Start the stack, deploy the sources as they are now, and show deliveries. Raises LocalError."""
    with _alone():
        settings = stack_file.read(SETTINGS)
        port = port or int(settings.get("port", DEFAULT_PORT))
        stack = Stack(FOLDER, port=port, steps=progress)
        running = stack.emulator.running()
        if running and running.port != port:
            raise LocalError(
                f"the stack runs on port {running.port}: run `make stop` before you choose another"
            )
        stack.up()
        with progress.step(f"start the sample receiver on {emulator.HOST}:{port + 1}"):
            receiver_url = _start_receiver(port + 1)
        with logs_named(stack):
            with progress.step("issue licenses"):
                known = settings.get("licenses", {})
                stack_file.write(STACK_FILE, stack_file.describe(stack, known))
                licenses = seed.licenses(ROOT, known)
                settings |= {"port": port, "licenses": licenses}
                stack_file.write(SETTINGS, settings)
                stack_file.write(STACK_FILE, stack_file.describe(stack, licenses))
            traffic = Traffic(stack, ROOT, receiver_url, settings.get("samples", {}))
            _register(stack, receiver_url, traffic, progress)
            with progress.step("publish three events, verify their callbacks"):
                first = demo.deliver(ROOT, receiver_url)
            with progress.step("publish three more, now that the functions are warm"):
                second = demo.deliver(ROOT, receiver_url)
            with progress.step("read the first one's entry in the delivery log"):
                entry = log_entry.read(second[0].delivery_id, ROOT)
            traffic.publish(progress)
            stack_file.write(SETTINGS, settings | {"samples": traffic.known})
        progress.say("")
        progress.table(_deliveries(first, second))
        progress.say("")
        progress.text(entry)
        progress.say("")
        progress.say(f"the next ones: .venv/bin/webhooks deliveries list --webhook {WEBHOOK_SHOWN}")
        _usage(progress)


def _register(stack: Stack, receiver_url: str, traffic: Traffic, progress: Progress) -> None:
    """Register the webhooks of the demo and of the samples, and tell the receiver their secrets."""
    with progress.step("register three webhooks at the receiver"):
        secrets = seed.webhooks_at(receiver_url, seed.WEBHOOKS, ROOT)
    with progress.step(f"register {len(samples.WEBHOOKS)} more, for the console"):
        secrets |= seed.webhooks_at(receiver_url, samples.WEBHOOKS, ROOT)
    down_since = samples.iso_time(traffic.since)
    stack_file.write(KNOWN, {"apiUrl": stack.api_url, "secrets": secrets, "downSince": down_since})


def stop(progress: Progress) -> None:
    """Stop the processes that `run` started."""
    with _alone():
        _stop(progress)


def reset(progress: Progress) -> None:
    """Stop, and delete the stack's files."""
    with _alone():
        _stop(progress)
        shutil.rmtree(FOLDER, ignore_errors=True)
        for file in (STACK_FILE, CALLER_FILE):
            file.unlink(missing_ok=True)
    progress.say("the stack is deleted: the next `make run` begins anew")


def status(progress: Progress) -> None:
    """Show whether the stack runs, and how to use it."""
    if processes.find(emulator.Emulator(FOLDER).record) is None:
        progress.say("the local stack does not run: `make run` starts it")
        return
    _usage(progress)


def _stop(progress: Progress) -> None:
    stack = Stack(FOLDER, port=DEFAULT_PORT)
    stopped = processes.stop(RECEIVER_RECORD, patience=STOP_SECONDS)
    if stack.emulator.running() is not None:
        with progress.step("stop the local stack; registered webhooks are kept"):
            stack.down()
    elif not stopped:
        progress.say("the local stack does not run")
    STACK_FILE.unlink(missing_ok=True)


def _start_receiver(port: int) -> str:
    url = f"http://{emulator.HOST}:{port}"
    running = processes.find(RECEIVER_RECORD)
    if running and running.port == port and emulator.is_answering(f"{url}/counts"):
        return url
    processes.stop(RECEIVER_RECORD, patience=STOP_SECONDS)
    emulator.require_free(port, program="the sample receiver")
    running = processes.start(
        [sys.executable, "-m", "local.receiver", "--port", str(port), "--known", str(KNOWN)],
        environment=emulator.inherited(),
        log=RECEIVER_LOG,
        record=RECEIVER_RECORD,
        port=port,
    )
    deadline = time.monotonic() + RECEIVER_SECONDS
    while not emulator.is_answering(f"{url}/callbacks"):
        if not running.is_alive() or time.monotonic() > deadline:
            raise failed("the sample receiver does not start", RECEIVER_LOG)
        time.sleep(0.1)
    return url


@contextmanager
def logs_named(stack: Stack) -> Iterator[None]:
    """Add the logs to read to an error of a step that calls the functions."""
    began = time.time()
    try:
        yield
    except LocalError as error:
        functions = function_logs.save(stack, since=began)
        raise failed(str(error), functions, RECEIVER_LOG, stack.emulator.log) from None


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the lock of this project's stack. Raises LocalError where another command holds it."""
    LOCAL.mkdir(exist_ok=True)
    with Path(LOCAL / "lock").open("w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise LocalError(
                "another `make run`, `make stop` or `make reset` runs in this folder: wait for its end"
            ) from None
        yield


def _deliveries(first: list[demo.Shown], second: list[demo.Shown]) -> list[tuple[str, str, str, str, str]]:
    """Return a row for each sample. The first callbacks wait for cold functions, the second do not."""
    headings = ("sample", "event", "first callback", "second", "verified by the receiver")
    return [headings] + [
        (
            cold.sample,
            cold.event_name,
            f"{cold.milliseconds} ms",
            f"{warm.milliseconds} ms",
            ", ".join(warm.schemes),
        )
        for cold, warm in zip(first, second, strict=True)
    ]


def _switch() -> list[tuple[str, str]]:
    receiver = processes.find(RECEIVER_RECORD)
    if receiver is None:
        return []
    address = f"http://{emulator.HOST}:{receiver.port}"
    return [("end the sample endpoints' outage", f"curl -X PUT {address}/up (and {address}/down)")]


def _usage(progress: Progress) -> None:
    description = stack_file.read(STACK_FILE)
    if not description:
        progress.say("the local stack runs, but its deployment is not complete: `make run` completes it")
        return
    progress.say("")
    progress.table(
        [
            ("API", description["apiUrl"]),
            ("reference", description["docsUrl"]),
            ("console, for any license", description["consoleUrl"]),
            ("events queue", description["eventsQueueUrl"]),
            ("deliveries queue", description["deliveriesQueueUrl"]),
            ("recovery queue", description["recoveryQueueUrl"]),
            ("events DLQ", description["eventsDlqUrl"]),
            ("deliveries DLQ", description["deliveriesDlqUrl"]),
            (
                "AWS endpoint",
                f"{description['awsEndpoint']} (region {description['region']}, any credentials)",
            ),
            ("all of this as JSON", str(STACK_FILE.relative_to(ROOT))),
            ("call the API", ".venv/bin/webhooks call POST webhooks/fetch -d '{}'"),
            (
                "call it as a tenant",
                ".venv/bin/webhooks call POST webhooks/fetch -d '{}' --level service",
            ),
            ("call it by curl", f"curl {description['apiUrl']}/healthz"),
            ("publish an event", ".venv/bin/webhooks publish events/native.json --mine"),
            ("see its delivery", f".venv/bin/webhooks deliveries list --webhook {WEBHOOK_SHOWN}"),
            ("see all deliveries as they happen", ".venv/bin/webhooks tail"),
            *_switch(),
            ("stop the stack", "make stop (make reset also deletes the registered webhooks)"),
        ]
    )
    if link := ready_link(description, CALLER_FILE):
        progress.say("")
        progress.say("open the console, connected with the local system license:")
        progress.link(link)
