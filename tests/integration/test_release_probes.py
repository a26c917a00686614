"""Every function's own handler, asked by a release's probe: a good one answers, and names what it lacks.

CodeDeploy and Lambda are doubles: Lambda's invokes the handlers here.
"""

import io
import json
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.backends import Backend, backend_named
from tests.contract.credential_stores import make_key
from tests.lambda_functions import ENVIRONMENT, FUNCTIONS, load_function
from webhooks.adapters.aws_lambda.versions import LambdaVersions
from webhooks.adapters.codedeploy.deployments import CodeDeployDeployments
from webhooks.domain.errors import UnavailableError
from webhooks.environment import SettingsError
from webhooks.ports.releases import NewVersion
from webhooks.services.release_check import ReleaseCheck

RELEASED = sorted({path.parent.name for path in FUNCTIONS.glob("*/app.py")} - {"pre_traffic"})
OPENERS = ("webhooks", "dispatcher", "test_event")  # of sealed credentials


def app_spec(name: str, version: str) -> str:
    """The text as CloudFormation writes it for an alias."""
    properties = {"Name": name, "Alias": "live", "CurrentVersion": "1", "TargetVersion": version}
    resource = {name: {"Type": "AWS::Lambda::Function", "Properties": properties}}
    return json.dumps({"version": 0.0, "Resources": [resource], "Hooks": [{"BeforeAllowTraffic": "check"}]})


class Clients:
    """The clients of CodeDeploy and Lambda. `invoke` takes a function's name and an event."""

    def __init__(self, revision: dict[str, Any], invoke: Callable[[str, Any], Any]) -> None:
        self.revision = revision
        self.invoke_function = invoke
        self.statuses: list[dict[str, str]] = []

    @property
    def codedeploy(self) -> "Clients":
        return self

    @property
    def functions(self) -> "Clients":
        return self

    def get_deployment(self, **request: str) -> dict[str, Any]:
        assert request == {"deploymentId": "d-1"}
        return {"deploymentInfo": {"applicationName": "app", "revision": self.revision}}

    def get_application_revision(self, **request: Any) -> dict[str, Any]:
        assert request == {"applicationName": "app", "revision": self.revision}
        return {"revision": {"revisionType": "String", "string": {"content": app_spec("webhooks", "2")}}}

    def put_lifecycle_event_hook_execution_status(self, **request: str) -> None:
        self.statuses.append(request)

    def invoke(self, *, FunctionName: str, Qualifier: str, Payload: str) -> dict[str, Any]:  # noqa: N803
        assert Qualifier == "2"
        try:
            answer = self.invoke_function(FunctionName, json.loads(Payload))
        except Exception as error:  # noqa: BLE001 - Lambda's own boundary
            text = {"errorType": type(error).__name__, "errorMessage": str(error)}
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps(text).encode())}
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}


def status_of(clients: Clients) -> str:
    check = ReleaseCheck(
        deployments=CodeDeployDeployments(clients),  # type: ignore[arg-type]  # two of its clients
        versions=LambdaVersions(clients),  # type: ignore[arg-type]
    )
    check.run("d-1", "e-1")
    [reported] = clients.statuses
    assert (reported["deploymentId"], reported["lifecycleEventHookExecutionId"]) == ("d-1", "e-1")
    return reported["status"]


def revision(name: str) -> dict[str, Any]:
    return {"revisionType": "AppSpecContent", "appSpecContent": {"content": app_spec(name, "2")}}


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    with backend_named("moto") as backend:
        yield backend


@pytest.fixture(scope="module")
def environment(backend: Backend) -> dict[str, str]:
    seed = json.dumps({"seed": secrets.token_hex(32)})
    queues = {
        name: backend.queue(name.lower().replace("_", "-"))
        for name in ENVIRONMENT
        if name.endswith("QUEUE_URL")
    }
    dead = {
        name: backend.queue(name.lower().replace("_", "-"))
        for name in ENVIRONMENT
        if name.endswith("DLQ_URL")
    }
    return (
        ENVIRONMENT
        | queues
        | dead
        | {
            "SUBSCRIPTIONS_TABLE": backend.table("subscriptions"),
            "ACCESS_TABLE": backend.table("access", sorted_by=None),
            "DELIVERIES_TABLE": backend.table("deliveries"),
            "SERVICE_KEYS_SECRET": backend.secret("service-keys", seed),
            "SIGNING_KEYS_SECRET": backend.secret("signing-keys", seed),
            "WEBHOOK_MASTER_SECRET": backend.secret("webhook-master", seed),
        }
    )


def invoking(environment: dict[str, str]) -> Callable[[str, Any], Any]:
    """Lambda: loads a function, then invokes it."""
    return lambda name, event: load_function(name, environment).lambda_handler(event, None)


@pytest.mark.parametrize("function", RELEASED)
def test_a_function_in_order_gets_traffic(environment: dict[str, str], function: str) -> None:
    assert status_of(Clients(revision(function), invoking(environment))) == "Succeeded"


@pytest.mark.parametrize(
    ("function", "variable", "value"),
    [
        ("webhooks", "ALLOWED_PORTS", "99999"),
        ("dispatcher", "RETRY_DELAYS", "30,x"),
        ("discovery", "SERVICE_DIRECTORY", "[]"),
        ("recovery", "DISABLE_AFTER_DAYS", "2.5"),
        ("console", "POWERTOOLS_LOG_LEVEL", "LOUD"),
    ],
)
def test_a_wrong_parameter_keeps_a_version_from_traffic(
    environment: dict[str, str], function: str, variable: str, value: str
) -> None:
    clients = Clients(revision(function), invoking(environment | {variable: value}))
    assert status_of(clients) == "Failed"


@pytest.mark.parametrize(
    ("function", "variable"),
    [
        ("webhooks", "SUBSCRIPTIONS_TABLE"),
        ("deliveries", "DELIVERIES_TABLE"),
        ("events", "ACCESS_TABLE"),
        ("test_event", "SIGNING_KEYS_SECRET"),
        ("service_keys", "SERVICE_KEYS_SECRET"),
        ("discovery", "EVENTS_QUEUE_URL"),
        ("fanout", "SUBSCRIPTIONS_TABLE"),
        ("dispatcher", "WEBHOOK_MASTER_SECRET"),
        ("recovery", "DELIVERIES_TABLE"),
        ("maintenance", "SUBSCRIPTIONS_TABLE"),
    ],
)
def test_what_does_not_exist_keeps_a_version_from_traffic(
    environment: dict[str, str], function: str, variable: str
) -> None:
    absent = environment | {
        variable: f"https://sqs.us-east-1.amazonaws.com/123456789012/absent-{variable.lower()}"[-60:]
    }
    assert status_of(Clients(revision(function), invoking(absent))) == "Failed"


def test_a_layer_that_cannot_be_imported_keeps_a_version_from_traffic() -> None:
    def broken(_name: str, _event: Any) -> Any:
        raise ModuleNotFoundError("No module named 'signing'")

    assert status_of(Clients(revision("webhooks"), broken)) == "Failed"


def test_a_function_that_knows_no_probe_gets_no_traffic() -> None:
    assert status_of(Clients(revision("webhooks"), lambda _name, _event: {"statusCode": 404})) == "Failed"


def test_the_versions_of_a_deployment_are_read_where_codedeploy_leaves_out_their_text() -> None:
    clients = Clients({"revisionType": "String", "string": {"sha256": "0" * 64}}, lambda *_: None)

    versions = CodeDeployDeployments(clients).new_versions("d-1")  # type: ignore[arg-type]

    assert versions == [NewVersion("webhooks", "2")]


def test_the_reason_of_an_error_is_its_class_and_of_settings_the_variable() -> None:
    def wrong(_name: str, _event: Any) -> Any:
        raise SettingsError("the environment variable ALLOWED_PORTS is missing")

    def leaking(_name: str, _event: Any) -> Any:
        raise ValueError("a secret")

    for invoke, said in (
        (wrong, "SettingsError: the environment variable ALLOWED_PORTS is missing"),
        (leaking, "ValueError"),
    ):
        with pytest.raises(UnavailableError) as raised:
            LambdaVersions(Clients({}, invoke)).probe(NewVersion("webhooks", "2"))  # type: ignore[arg-type]
        assert str(raised.value) == f"the function ended with an error: {said}"


@pytest.mark.parametrize(
    "code", ["AccessDenied", "AccessDeniedException", "AWS.SimpleQueueService.NonExistentQueue"]
)
def test_a_queue_that_may_not_be_sent_to_keeps_a_version_from_traffic(
    environment: dict[str, str], code: str
) -> None:
    module = load_function("fanout", environment)

    def refused(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": code}}, "SendMessageBatch")

    sqs = module.app.aws.sqs
    before, sqs.send_message_batch = sqs.send_message_batch, refused
    try:
        failed = module.lambda_handler({"releaseProbe": True}, None)["failed"]
    finally:
        sqs.send_message_batch = before

    assert failed == dict.fromkeys(
        ("events queue", "deliveries queue", "events DLQ"), f"sqs SendMessage: {code}"
    )


def sealing(environment: dict[str, str], key: str, *, store: str = "Table") -> dict[str, str]:
    return environment | {"CREDENTIAL_STORE": store, "KMS_KEY_ID": key}


@pytest.mark.parametrize("store", ["Table", "SecretsManager"])
@pytest.mark.parametrize("function", OPENERS)
def test_a_function_that_may_use_the_key_of_credentials_gets_traffic(
    environment: dict[str, str], backend: Backend, function: str, store: str
) -> None:
    given = sealing(environment, make_key(backend), store=store)
    assert status_of(Clients(revision(function), invoking(given))) == "Succeeded"


class Kms:
    """KMS with the key policy of a role: it grants actions in the context of a webhook alone.

    As AWS does, it answers a permitted dry run with an error, and reads no ciphertext where it need not.
    """

    def __init__(self, *granted: str, key: str) -> None:
        self.granted = granted
        self.key = key

    def decrypt(self, *, DryRunModifiers: list[str], **request: Any) -> None:  # noqa: N803
        assert DryRunModifiers == ["IGNORE_CIPHERTEXT"]
        self._answer("Decrypt", **request)

    def generate_data_key(self, *, KeySpec: str, **request: Any) -> None:  # noqa: N803
        assert KeySpec == "AES_256"
        self._answer("GenerateDataKey", **request)

    def _answer(
        self,
        action: str,
        *,
        KeyId: str,  # noqa: N803
        EncryptionContext: dict[str, str],  # noqa: N803
        DryRun: bool,  # noqa: N803
    ) -> None:
        permitted = action in self.granted and KeyId == self.key
        if not permitted or set(EncryptionContext) != {"tenant", "community", "webhook"}:
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, action)
        assert DryRun
        raise ClientError({"Error": {"Code": "DryRunOperationException"}}, action)


def failed_with(kms: Kms, function: str, environment: dict[str, str]) -> dict[str, str]:
    """Ask a function that has this KMS with a probe."""
    module = load_function(function, environment)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(module.app.aws), "kms", property(lambda _: kms))
        failed: dict[str, str] = module.lambda_handler({"releaseProbe": True}, None)["failed"]
    return failed


@pytest.mark.parametrize(
    ("function", "granted", "failed"),
    [
        *((each, ("Decrypt", "GenerateDataKey"), {}) for each in OPENERS),
        *(
            (each, ("GenerateDataKey",), {"opening of credentials": "kms Decrypt: AccessDeniedException"})
            for each in OPENERS
        ),
        (
            "webhooks",
            ("Decrypt",),
            {"sealing of credentials": "kms GenerateDataKey: AccessDeniedException"},
        ),
        ("dispatcher", ("Decrypt",), {}),
        ("test_event", ("Decrypt",), {}),
    ],
)
def test_a_missing_permission_for_the_key_of_credentials_is_named(
    environment: dict[str, str], function: str, granted: tuple[str, ...], failed: dict[str, str]
) -> None:
    kms = Kms(*granted, key="arn:key")
    assert failed_with(kms, function, sealing(environment, "arn:key")) == failed


def test_a_kms_that_knows_no_dry_run_without_a_ciphertext_ends_no_release(
    environment: dict[str, str],
) -> None:
    class Older(Kms):
        def decrypt(self, **_: Any) -> None:
            raise ClientError({"Error": {"Code": "ValidationException"}}, "Decrypt")

    given = sealing(environment, "arn:key")
    assert failed_with(Older("GenerateDataKey", key="arn:key"), "webhooks", given) == {}


def test_where_secrets_have_the_credentials_no_permission_to_seal_is_needed(
    environment: dict[str, str],
) -> None:
    given = sealing(environment, "arn:key", store="SecretsManager")
    assert failed_with(Kms("Decrypt", key="arn:key"), "webhooks", given) == {}


@pytest.mark.parametrize("function", OPENERS)
def test_without_a_key_of_the_stack_no_permission_is_needed(
    environment: dict[str, str], function: str
) -> None:
    assert failed_with(Kms(key="arn:key"), function, environment) == {}


@pytest.mark.parametrize("function", OPENERS)
def test_a_key_that_does_not_exist_keeps_a_version_from_traffic(
    environment: dict[str, str], function: str
) -> None:
    absent = sealing(environment, "arn:aws:kms:us-east-1:123456789012:key/absent")
    assert status_of(Clients(revision(function), invoking(absent))) == "Failed"
