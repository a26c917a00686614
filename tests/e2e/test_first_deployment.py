"""A first deployment as a person makes it: eight answers, the deployer's policies alone, a domain, another account.

On a stack of its own: its entry of samconfig.toml is written by the questions.
"""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local import emulator, processes
from local.paths import ROOT, tool
from local.stack import STACK_NAME, Stack
from tests.e2e import permissions
from tests.e2e.conftest import issue
from tests.e2e.platform_client import PlatformClient
from tests.e2e.test_delivery import register
from tests.receiver import Receiver
from tools.deployment import entry
from tools.deployment.entry import Entry

ENVIRONMENT = "blue"
DOMAIN = "hooks.example.com"
CERTIFICATE = f"arn:aws:acm:{emulator.REGION}:000000000000:certificate/{uuid.UUID(int=1)}"
PRODUCER, STRANGER = "111122223333", "444455556666"
# The answers, in the order of the questions; an empty one takes the default.
ANSWERS = [emulator.REGION, STACK_NAME, "", "no", "", DOMAIN, CERTIFICATE, "", "", PRODUCER]
BUCKET = "aws-sam-cli-managed-default-e2e"
SECONDS = 60.0


@dataclass(frozen=True)
class Deployed:
    stack: Stack
    entry: Entry
    bootstrap: dict[str, str]


def bootstrap(stack: Stack) -> dict[str, str]:
    """Deploy deploy/bootstrap.yaml; return its outputs."""
    cloudformation = stack.client("cloudformation")
    parameters = {
        "StackName": STACK_NAME,
        "GitHubRepository": "you/webhooks",
        "GitHubEnvironment": ENVIRONMENT,
        # The emulator cannot make the provider.
        "GitHubProviderArn": "arn:aws:iam::000000000000:oidc-provider/token.actions.githubusercontent.com",
    }
    cloudformation.create_stack(
        StackName="webhooks-local-bootstrap",
        TemplateBody=(ROOT / "deploy/bootstrap.yaml").read_text("utf-8"),
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
    )
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName="webhooks-local-bootstrap", WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    [described] = cloudformation.describe_stacks(StackName="webhooks-local-bootstrap")["Stacks"]
    return {each["OutputKey"]: each["OutputValue"] for each in described["Outputs"]}


def credentials(stack: Stack, role: str) -> dict[str, str]:
    """Return credentials of the deployer's role, which trusts GitHub's identities: here the account's root."""
    root = {"Effect": "Allow", "Principal": {"AWS": "000000000000"}, "Action": "sts:AssumeRole"}
    stack.client("iam").update_assume_role_policy(
        RoleName=role.rpartition("/")[2],
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [root]}),
    )
    given = stack.client("sts").assume_role(RoleArn=role, RoleSessionName="deploy")["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
    }


def run(command: list[Any], *, environment: dict[str, str], text: str = "") -> str:
    """Run a command and return its output; a failure shows it."""
    ended = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | environment,
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line for line in (ended.stdout + ended.stderr).splitlines() if "Uploading" not in line]
    assert ended.returncode == 0, "\n".join(said)
    return ended.stdout


def deploy(stack: Stack) -> Deployed:
    environment = emulator.client_environment(stack.port)
    config = stack.folder / "samconfig.toml"
    config.write_text((ROOT / "samconfig.toml").read_text("utf-8"))
    made = bootstrap(stack)
    run(
        [sys.executable, "-m", "tools.deployment", ENVIRONMENT, "--only-ask", "--config", config],
        environment=environment,
        text="".join(f"{each}\n" for each in ANSWERS),
    )
    answered = entry.read(config, ENVIRONMENT)
    local = dict(entry.read(config, "local").parameters) | {
        "PermissionsBoundary": made["PermissionsBoundary"]
    }
    by_hand = local | dict(answered.parameters)  # as a person adds parameters to the entry
    entry.write(config, ENVIRONMENT, Entry(answered.stack_name, answered.region, by_hand))
    sam = [tool(".venv-sam", "sam")]
    chosen = ["--config-file", config, "--config-env", ENVIRONMENT]
    build = stack.folder / "build"
    run([*sam, "build", *chosen, "--build-dir", build], environment=environment)
    # SAM's own bucket refuses requests without TLS, which the emulator does not speak; the policies allow one of its name.
    stack.client("s3").create_bucket(Bucket=BUCKET)
    bucket = ["--no-resolve-s3", "--s3-bucket", BUCKET, "--no-confirm-changeset"]
    run(
        [*sam, "deploy", *chosen, *bucket, "--template-file", build / "template.yaml"],
        environment=environment | credentials(stack, made["DeployerRole"]),
    )
    return Deployed(stack, answered, made)


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    folder = tmp_path_factory.mktemp("first")
    stack = Stack(folder, port=emulator.free_port(), environment=permissions.ENFORCED)
    running: processes.Running = stack.emulator.start(stack.port)
    assert running.is_alive()
    try:
        made = deploy(stack)
        emulator.correct_concurrency(stack.client("lambda"))
        permissions.permit_what_aws_would(stack)
        yield made
    finally:
        stack.forget()


def test_the_answers_are_an_entry_with_the_differences(deployed: Deployed) -> None:
    assert deployed.entry == Entry(
        STACK_NAME,
        emulator.REGION,
        {
            "Stage": ENVIRONMENT,
            "DomainName": DOMAIN,
            "CertificateArn": CERTIFICATE,
            "ProducerAccounts": PRODUCER,
        },
    )


def test_the_stack_is_what_was_answered(deployed: Deployed) -> None:
    outputs = deployed.stack.outputs
    assert outputs["ApiUrl"] == f"https://{DOMAIN}"
    assert outputs["ConsoleUrl"] == f"https://{DOMAIN}/console"
    assert outputs["DomainTarget"]
    exports = deployed.stack.client("cloudformation").list_exports()["Exports"]
    assert f"{STACK_NAME}-EventsQueueArn" in {each["Name"] for each in exports}


def test_every_role_has_the_tags_of_the_environment(deployed: Deployed) -> None:
    iam = deployed.stack.client("iam")
    for name in permissions.resources(deployed.stack, "AWS::IAM::Role"):
        assert {"Key": "environment", "Value": ENVIRONMENT} in iam.get_role(RoleName=name)["Role"]["Tags"]


def as_deployer(deployed: Deployed, service: str) -> Any:
    given = credentials(deployed.stack, deployed.bootstrap["DeployerRole"])
    return boto3.client(  # type: ignore[call-overload]  # one overload for each service
        service,
        endpoint_url=deployed.stack.endpoint,
        region_name=emulator.REGION,
        **{name.lower(): value for name, value in given.items()},
    )


def refused(call: Any, **arguments: Any) -> bool:
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"] in {"AccessDenied", "AccessDeniedException"}
    return False


def test_the_deployer_reads_no_data_and_makes_no_role_of_its_own(deployed: Deployed) -> None:
    outputs = deployed.stack.outputs
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("dynamodb", "scan", {"TableName": outputs["SubscriptionsTable"]}),
        ("sqs", "receive_message", {"QueueUrl": outputs["EventsQueueUrl"]}),
        ("secretsmanager", "get_secret_value", {"SecretId": outputs["ServiceKeysSecret"]}),
        ("iam", "create_role", {"RoleName": "admin", "AssumeRolePolicyDocument": trust}),
        ("iam", "create_role", {"RoleName": f"{STACK_NAME}-admin", "AssumeRolePolicyDocument": trust}),
        ("iam", "create_user", {"UserName": "admin"}),
        (
            "iam",
            "create_policy_version",
            {
                "PolicyArn": deployed.bootstrap["DeployerPolicy"],
                "PolicyDocument": trust,
                "SetAsDefault": True,
            },
        ),
        ("cloudformation", "delete_stack", {"StackName": "another"}),
        ("lambda", "get_function", {"FunctionName": "another"}),
    ]
    assert [name for service, name, arguments in asked
            if not refused(getattr(as_deployer(deployed, service), name), **arguments)] == []  # fmt: skip


class ByDomain(PlatformClient):
    """Calls the API by its own domain, which is not in any DNS."""

    def plain(
        self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None
    ) -> Any:
        return super().plain(method, path, body, headers={"Host": DOMAIN, **(headers or {})})


@pytest.fixture(scope="module")
def license_key(deployed: Deployed) -> str:
    return issue(deployed.stack, "system")


@pytest.fixture(scope="module")
def by_domain(deployed: Deployed, license_key: str) -> PlatformClient:
    return ByDomain(deployed.stack.endpoint, license_key)


@pytest.fixture(scope="module")
def by_stage(deployed: Deployed, license_key: str) -> PlatformClient:
    [api] = deployed.stack.client("apigateway").get_rest_apis()["items"]
    url = f"{deployed.stack.endpoint}/_aws/execute-api/{api['id']}/{ENVIRONMENT}"
    return PlatformClient(url, license_key)


@pytest.mark.parametrize(
    "path", ["/healthz", "/publickeys", "/.well-known/jwks.json", "/openapi.json", "/console", "/docs"]
)
def test_a_path_is_the_same_with_the_stage_and_by_the_domain(
    by_domain: PlatformClient, by_stage: PlatformClient, path: str
) -> None:
    first, second = by_domain.plain("GET", path), by_stage.plain("GET", path)
    assert (first.status, first.body) == (second.status, second.body)
    assert first.status == 200


def test_headers_made_for_one_address_are_good_at_the_other(
    by_domain: PlatformClient, by_stage: PlatformClient
) -> None:
    """The envelopes hold no path and no domain."""
    for maker, user in ((by_domain, by_stage), (by_stage, by_domain)):
        path = "/tenant/acme/community/main/webhooks/fetch"
        assert user.plain("POST", path, {}, headers=maker.headers()).status == 200


def producer(stack: Stack, account: str) -> Any:
    """Return an SQS client of a role in another account, whose own policy lets it send."""
    root = {"aws_access_key_id": account, "aws_secret_access_key": "test"}
    clients = {
        service: boto3.client(  # type: ignore[call-overload]
            service, endpoint_url=stack.endpoint, region_name=emulator.REGION, **root
        )
        for service in ("iam", "sts")
    }
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "sts:AssumeRole",
    }
    allowed = {"Effect": "Allow", "Action": ["sqs:*", "kms:*"], "Resource": "*"}
    role = clients["iam"].create_role(
        RoleName="producer",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
    clients["iam"].put_role_policy(
        RoleName="producer",
        PolicyName="all",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}),
    )
    given = clients["sts"].assume_role(RoleArn=role, RoleSessionName="e2e")["Credentials"]
    return boto3.client(
        "sqs",
        endpoint_url=stack.endpoint,
        region_name=emulator.REGION,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )


def test_an_event_of_another_account_becomes_a_signed_callback(
    deployed: Deployed, by_domain: PlatformClient
) -> None:
    sqs, url = producer(deployed.stack, PRODUCER), deployed.stack.outputs["EventsQueueUrl"]
    with Receiver() as receiver:
        _, name = register(by_domain, receiver)
        event = {"eventName": name, "tenantId": "acme", "communityId": "main", "data": {"from": "afar"}}
        event |= {"eventId": str(uuid.uuid4()), "occurredAt": "2026-11-23T22:24:38.123Z"}
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps(event))
        [callback] = receiver.wait_for(1, seconds=SECONDS)
    assert b"afar" in callback.body
    assert refused(sqs.receive_message, QueueUrl=url)
    assert refused(sqs.send_message, QueueUrl=deployed.stack.outputs["DeliveriesQueueUrl"], MessageBody="{}")


def test_an_account_that_was_not_named_sends_nothing(deployed: Deployed) -> None:
    sqs, url = producer(deployed.stack, STRANGER), deployed.stack.outputs["EventsQueueUrl"]
    assert refused(sqs.send_message, QueueUrl=url, MessageBody="{}")
