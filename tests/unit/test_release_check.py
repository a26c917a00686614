"""The check of a release: what CodeDeploy is told, whatever the new versions do."""

import json
from collections.abc import Callable, Mapping, Sequence

import pytest

from webhooks.domain.errors import UnavailableError
from webhooks.entrypoints.invocation import Invocation
from webhooks.entrypoints.probe import probed
from webhooks.ports.releases import NewVersion
from webhooks.services.release_check import ReleaseCheck

ONE, OTHER = NewVersion("stack-WebhooksFunction-1", "7"), NewVersion("stack-FanoutFunction-1", "3")


class Deployments:
    """CodeDeploy's part: the versions of one deployment, and the reported results."""

    def __init__(self, *versions: NewVersion, error: Exception | None = None) -> None:
        self.versions = versions
        self.error = error
        self.reported: list[tuple[str, str, bool]] = []

    def new_versions(self, deployment_id: str) -> Sequence[NewVersion]:
        assert deployment_id == "d-1"
        if self.error:
            raise self.error
        return self.versions

    def report(self, deployment_id: str, execution_id: str, *, is_good: bool) -> None:
        self.reported.append((deployment_id, execution_id, is_good))


class Versions:
    def __init__(self, answers: Mapping[NewVersion, Mapping[str, str] | Exception]) -> None:
        self.answers = answers

    def probe(self, version: NewVersion) -> Mapping[str, str]:
        answer = self.answers[version]
        if isinstance(answer, Exception):
            raise answer
        return answer


def checked(deployments: Deployments, **answers: Mapping[str, str] | Exception) -> bool:
    by_version = {{"one": ONE, "other": OTHER}[name]: answer for name, answer in answers.items()}
    good = ReleaseCheck(deployments=deployments, versions=Versions(by_version)).run("d-1", "e-1")
    assert deployments.reported == [("d-1", "e-1", good)]
    return good


def test_versions_that_answer_their_probe_get_traffic() -> None:
    assert checked(Deployments(ONE, OTHER), one={}, other={})


@pytest.mark.parametrize(
    "answer",
    [
        {"service keys": "secretsmanager GetSecretValue: AccessDenied"},
        UnavailableError("no answer"),
        KeyError("x"),
    ],
)
def test_one_version_that_fails_ends_the_release(answer: Mapping[str, str] | Exception) -> None:
    assert not checked(Deployments(ONE, OTHER), one={}, other=answer)


@pytest.mark.parametrize("error", [UnavailableError("GetDeployment: Throttled"), RuntimeError("?")])
def test_a_deployment_that_cannot_be_read_ends_the_release(error: Exception) -> None:
    assert not checked(Deployments(ONE, error=error), one={})


def test_a_deployment_without_versions_ends_the_release() -> None:
    assert not checked(Deployments())


def test_the_reason_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    checked(
        Deployments(ONE),
        one={"service keys": "AccessDenied", "events queue": "sqs SendMessage: AccessDenied"},
    )

    [line] = [each for each in caplog.records if each.message == "release.refused"]
    assert vars(line)["reason"] == "service keys: AccessDenied; events queue: sqs SendMessage: AccessDenied"
    assert (vars(line)["function"], vars(line)["version"]) == (ONE.function, ONE.version)


def handled(probes: Mapping[str, Callable[[], object]], event: object) -> object:
    def handle(event: object, _context: object) -> object:
        return {"handled": event}

    return probed(handle, probes, Invocation())(event, None)


def test_other_events_reach_the_handler() -> None:
    def untouched() -> None:
        raise AssertionError

    assert handled({"x": untouched}, {"Records": []}) == {"handled": {"Records": []}}


def test_a_probe_tells_what_failed_and_quotes_no_foreign_text() -> None:
    def down() -> None:
        raise UnavailableError("dynamodb GetItem: AccessDeniedException")

    def broken() -> None:
        raise ValueError("a secret")

    answer = handled({"table": down, "keys": broken, "queue": lambda: None}, {"releaseProbe": True})

    assert json.loads(json.dumps(answer))["failed"] == {
        "table": "dynamodb GetItem: AccessDeniedException",
        "keys": "ValueError",
    }
