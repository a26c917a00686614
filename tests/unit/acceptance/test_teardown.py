"""The tear-down: everything of the run, nothing of others, whatever fails in between."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest

from acceptance.kept import STACK_TAG
from acceptance.teardown import TearDown, TornDown
from tests.unit.acceptance.fake_account import NAMES, OWN, FakeAccount, FakeClient, Stacks, as_tags, missing

ROLE = "arn:aws:iam::123456789012:role/shop-acceptance-ApiGatewayLogs-1"


class Quiet:
    def step(self, _text: str) -> AbstractContextManager[None]:
        return nullcontext()


def raising(code: str) -> Any:
    def call(**_request: Any) -> Any:
        raise missing(code)

    return call


class Account(FakeAccount):
    """An account with one resource of each kind, all with the same tags, and nothing else."""

    def __init__(
        self,
        tags: dict[str, str],
        *,
        stacks: dict[str, tuple[str, dict[str, str]]] | None = None,
        credential: dict[str, str] | None = None,
        role_in_use: str | None = ROLE,
        logging_apis: int = 0,
        fails: bool = False,
    ) -> None:
        self.there = {"table", "queue", "secret", "credential", "role", "bus", "log group", "bucket"}
        self.key_state = "Enabled"
        self.tags = tags
        stage = {"item": [{"accessLogSettings": {"destinationArn": "arn"}}]}
        super().__init__(
            cloudformation=Stacks(stacks or {}, fails=fails),
            dynamodb=FakeClient(
                list_tables=lambda: {
                    "TableNames": ["other-table", *self.only("table", "shop-acceptance-T-1")]
                },
                describe_table={
                    "Table": {"TableStatus": "ACTIVE", "TableArn": "arn", "DeletionProtectionEnabled": True}
                },
                update_table=None,
                list_tags_of_resource={"Tags": as_tags(tags)},
                delete_table=lambda **_: self.there.remove("table"),
            ),
            sqs=FakeClient(
                list_queues=lambda **_: {"QueueUrls": ["https://sqs/1/shop-acceptance-Q-1"]},
                list_queue_tags=lambda **_: (
                    {"Tags": tags} if "queue" in self.there else raising("QueueDoesNotExist")()
                ),
                delete_queue=lambda **_: self.there.remove("queue"),
            ),
            secretsmanager=FakeClient(
                list_secrets=lambda: {
                    "SecretList": [
                        {"Name": "other/credentials/x", "ARN": "other", "Tags": []},
                        *(
                            {"Name": "shop-acceptance-S-1", "ARN": "secret", "Tags": as_tags(tags)}
                            for _ in self.only("secret", "")
                        ),
                        *(
                            {
                                "Name": "shop-acceptance/credentials/acme/main/1",
                                "ARN": "credential",
                                "Tags": as_tags(credential or {}),
                            }
                            for _ in self.only("credential", "")
                        ),
                    ]
                },
                delete_secret=lambda SecretId, **_: self.there.remove(SecretId),  # noqa: N803
            ),
            iam=FakeClient(
                list_roles=lambda: {
                    "Roles": [
                        {"RoleName": "other", "Arn": "x"},
                        *(
                            {"RoleName": "shop-acceptance-ApiGatewayLogs-1", "Arn": ROLE}
                            for _ in self.only("role", "")
                        ),
                    ]
                },
                list_role_tags={"Tags": as_tags(tags)},
                list_attached_role_policies={"AttachedPolicies": [{"PolicyArn": "push"}]},
                detach_role_policy=None,
                list_role_policies={"PolicyNames": []},
                delete_role=lambda **_: self.there.remove("role"),
            ),
            apigateway=FakeClient(
                get_account=lambda: {"cloudwatchRoleArn": role_in_use} if role_in_use else {},
                get_rest_apis={"items": [{"id": "a"}] * logging_apis},
                get_stages=stage,
                update_account=None,
            ),
            events=FakeClient(
                describe_event_bus=lambda **_: (
                    {"Arn": "bus"} if "bus" in self.there else raising("ResourceNotFoundException")()
                ),
                list_tags_for_resource={"Tags": as_tags(tags)},
                list_rules={"Rules": [{"Name": "r"}]},
                list_targets_by_rule={"Targets": [{"Id": "t"}]},
                remove_targets=None,
                delete_rule=None,
                delete_event_bus=lambda **_: self.there.remove("bus"),
            ),
            s3=FakeClient(
                head_bucket=lambda **_: {} if "bucket" in self.there else raising("404")(),
                get_bucket_tagging={"TagSet": as_tags(tags)},
                list_objects_v2={"Contents": [{"Key": "k"}]},
                delete_object=None,
                delete_bucket=lambda **_: self.there.remove("bucket"),
            ),
            logs=FakeClient(
                describe_log_groups=lambda **asked: {
                    "logGroups": [
                        {"logGroupName": name, "arn": f"arn:{name}:*"}
                        for name in self.only("log group", "/shop-acceptance/fanout")
                        if name.startswith(asked["logGroupNamePrefix"])
                    ]
                },
                list_tags_for_resource={"tags": tags},
                delete_log_group=lambda **_: self.there.remove("log group"),
            ),
            resourcegroupstaggingapi=FakeClient(
                get_resources={"ResourceTagMappingList": [{"ResourceARN": "arn:aws:kms:r:1:key/k-1"}]}
            ),
            kms=FakeClient(
                describe_key=lambda **_: {"KeyMetadata": {"KeyState": self.key_state}},
                list_resource_tags={"Tags": [{"TagKey": k, "TagValue": v} for k, v in tags.items()]},
                schedule_key_deletion=lambda **_: setattr(self, "key_state", "PendingDeletion"),
            ),
        )

    def only(self, kind: str, value: str) -> list[str]:
        return [value] if kind in self.there else []

    def torn_down(self) -> TornDown:
        return TearDown(self, NAMES, Quiet(), poll=0)()


def test_everything_with_the_tag_is_deleted_and_the_key_is_scheduled() -> None:
    stacks = dict.fromkeys(NAMES.stacks, ("CREATE_COMPLETE", OWN))
    account = Account(OWN, stacks=stacks, credential={STACK_TAG: f"id-of-{NAMES.service}"})

    done = account.torn_down()

    assert (account.there, account.key_state) == (set(), "PendingDeletion")
    assert done.left == []
    assert [line for line in done.deleted if line.startswith("stack")] == [
        f"stack {name}" for name in NAMES.stacks
    ]
    assert [line for line in done.stays if not line.startswith("key k-1: KMS deletes it")] == []
    # The table was protected; the account's setting for logs was the run's own role.
    assert account.noted("dynamodb", "update_table") != []
    assert account.noted("apigateway", "update_account") != []
    order = [
        kind
        for line in done.deleted
        for kind in [line.split()[0]]
        if kind in {"table", "queue", "secret", "key"}
    ]
    assert order[-1] == "key"


@pytest.mark.parametrize(
    "tags", [{}, {"webhooks:acceptance": "shop"}, {"webhooks:acceptance": "shop-acceptance-2"}]
)
def test_nothing_without_the_tag_is_deleted(tags: dict[str, str]) -> None:
    stacks = {NAMES.service: ("CREATE_COMPLETE", tags)}
    account = Account(tags, stacks=stacks, credential={STACK_TAG: f"id-of-{NAMES.service}"})
    before = set(account.there)

    done = account.torn_down()

    assert (account.there, account.key_state, done.deleted, done.left) == (before, "Enabled", [], [])
    assert account.noted("cloudformation", "delete_stack") == []
    assert any(line.startswith(f"stack {NAMES.service}: it has no tag") for line in done.stays)
    assert (
        sum("was not touched" in line for line in done.stays) == 1 + len(before) + 1
    )  # stack, resources, key


def test_a_credential_of_another_deployment_of_the_name_is_kept() -> None:
    account = Account(OWN, credential={STACK_TAG: "id-of-other"})

    account.torn_down()

    assert account.there == {"credential"}


def test_a_credential_is_deleted_after_its_stack_is_gone() -> None:
    stacks = {NAMES.service: ("DELETE_COMPLETE", OWN)}
    account = Account(OWN, stacks=stacks, credential={STACK_TAG: f"id-of-{NAMES.service}"})

    account.torn_down()

    assert account.there == set()


def test_a_role_that_other_apis_use_by_now_is_left_and_named() -> None:
    account = Account(OWN, logging_apis=1)

    done = account.torn_down()

    assert "role" in account.there
    assert account.noted("apigateway", "update_account") == []
    assert any("other APIs of the account" in line for line in done.left)


def test_a_role_that_the_account_no_longer_uses_is_deleted_alone() -> None:
    account = Account(OWN, role_in_use="arn:aws:iam::123456789012:role/other")

    account.torn_down()

    assert "role" not in account.there
    assert account.noted("apigateway", "update_account") == []


def test_a_stack_that_cannot_be_deleted_is_left_and_the_rest_goes_on() -> None:
    account = Account(OWN, stacks={NAMES.service: ("CREATE_COMPLETE", OWN)}, fails=True)

    done = account.torn_down()

    assert any(line == f"stack {NAMES.service}: its deletion failed: in use" for line in done.left)
    assert len(account.noted("cloudformation", "delete_stack")) == 2
    assert "table" not in account.there


def test_a_kind_that_cannot_be_read_is_said_and_does_not_stop_the_stacks() -> None:
    account = Account(OWN, stacks={NAMES.service: ("CREATE_COMPLETE", OWN)})
    account.clients["dynamodb"] = FakeClient(list_tables=raising("AccessDeniedException"))

    done = account.torn_down()

    assert f"stack {NAMES.service}" in done.deleted
    assert any("AccessDeniedException" in line for line in done.left)
