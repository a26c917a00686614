"""Tables, secrets and queues: encrypted, kept, and with room for every reader's time."""

from typing import Any

import pytest

from tests.aws_stub.indexes import INDEXES, Index
from tests.template.template import Template, referred, resolve, settled
from tests.template.test_parameters import accepts

SIX = 6  # SQS: a message stays hidden six times as long as its reader may run
RECEIVES_MIN = 5
HOURS_8 = 8 * 3600
RECEIVES_MAX = 1000  # SQS takes no more
DAYS_14 = 14 * 24 * 3600


DEAD_LETTERS = {
    "EventsQueue": "EventsDlq",
    "DeliveriesQueue": "DeliveriesDlq",
    "SlowDeliveriesQueue": "DeliveriesDlq",
    "RecoveryQueue": "RecoveryDlq",
}
BATCHES = dict.fromkeys(DEAD_LETTERS, 10) | {"RecoveryQueue": 1}  # a task has an invocation of its own


def readers(template: Template) -> dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]:
    """(mapping, queue, function) by queue name."""
    queues = template.resources("AWS::SQS::Queue")
    functions = template.resources("AWS::Lambda::Function")
    return {
        referred(mapping["EventSourceArn"]): (
            mapping,
            queues[referred(mapping["EventSourceArn"])],
            functions[referred(mapping["FunctionName"]).removesuffix("Aliaslive")],
        )
        for mapping in template.resources("AWS::Lambda::EventSourceMapping").values()
    }


def longest_window(template: Template, mapping: dict[str, Any]) -> int:
    """The seconds that Lambda may hold back a batch, at most; the messages are hidden meanwhile."""
    window = mapping.get("MaximumBatchingWindowInSeconds", 0)
    return int(max(template.parameters[referred(window)]["AllowedValues"])) if window else 0


def test_every_queue_except_the_dlqs_has_a_reader(template: Template) -> None:
    assert readers(template).keys() == DEAD_LETTERS.keys()


@pytest.mark.parametrize("name", DEAD_LETTERS)
def test_a_queue_has_a_long_visibility_timeout_and_a_dlq(template: Template, name: str) -> None:
    mapping, queue, function = readers(template)[name]
    assert queue["VisibilityTimeout"] >= SIX * function["Timeout"] + longest_window(template, mapping)
    assert queue["RedrivePolicy"]["maxReceiveCount"] >= RECEIVES_MIN
    dead = referred(queue["RedrivePolicy"]["deadLetterTargetArn"])
    assert dead == DEAD_LETTERS[name]
    retention = template.resources("AWS::SQS::Queue")[dead]["MessageRetentionPeriod"]
    assert retention == DAYS_14 > queue["MessageRetentionPeriod"]


@pytest.mark.parametrize("name", DEAD_LETTERS)
def test_hours_of_trouble_dead_letter_nothing(template: Template, name: str) -> None:
    """Every receive that fails for want of DynamoDB, say, counts; the functions find poison by themselves."""
    queue = template.resources("AWS::SQS::Queue")[name]
    receives = queue["RedrivePolicy"]["maxReceiveCount"]
    assert receives * queue["VisibilityTimeout"] >= HOURS_8
    assert receives <= RECEIVES_MAX
    assert receives * queue["VisibilityTimeout"] < queue["MessageRetentionPeriod"]


@pytest.mark.parametrize("name", DEAD_LETTERS)
def test_a_reader_is_the_alias_and_reports_each_failed_message(template: Template, name: str) -> None:
    mapping, _, _ = readers(template)[name]
    assert referred(mapping["FunctionName"]).endswith("Aliaslive")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BatchSize"] == BATCHES[name]
    assert "FilterCriteria" not in mapping  # it deletes messages that do not match


@pytest.mark.parametrize(
    ("name", "parameter"),
    [
        ("EventsQueue", "FanoutConcurrency"),
        ("DeliveriesQueue", "DispatcherConcurrency"),
        ("RecoveryQueue", "RecoveryConcurrency"),
    ],
)
def test_a_concurrency_of_0_is_no_limit(template: Template, name: str, parameter: str) -> None:
    """An empty setting takes an earlier limit away; Lambda then goes down to two pollers for a quiet queue."""

    def scaling(value: str) -> Any:
        values = template.defaults | {parameter: value}
        return settled(readers(template)[name][0]["ScalingConfig"], template, values)

    assert scaling("0") == {}
    assert scaling("2") == {"MaximumConcurrency": "2"}
    declared = template.parameters[parameter]
    taken = [value for value in ("0", "1", "2", "3", "10", "1000", "1001", "2.5") if accepts(declared, value)]
    assert taken == ["0", "2", "3", "10", "1000"]  # AWS refuses 1 and more than 1000


def test_the_slow_lane_always_has_a_limit(template: Template) -> None:
    """Dead endpoints would take the account's concurrency from the fast lane and the API otherwise."""
    mapping, _, _ = readers(template)["SlowDeliveriesQueue"]
    limit = template.parameters[referred(mapping["ScalingConfig"]["MaximumConcurrency"])]
    assert limit["MinValue"] >= 2  # AWS refuses less


def test_only_new_events_and_first_attempts_wait_for_a_fuller_batch(template: Template) -> None:
    """A batch of the slow lane ends with its slowest endpoint, and one of recovery is a single task."""
    waiting = {
        name for name, (mapping, _, _) in readers(template).items() if longest_window(template, mapping)
    }
    assert waiting == {"EventsQueue", "DeliveriesQueue"}
    mappings = template.decided({}).resources("AWS::Lambda::EventSourceMapping").values()
    windows = [
        resolve(each.get("MaximumBatchingWindowInSeconds", "0"), template.defaults) for each in mappings
    ]
    assert windows == ["0"] * 4


def test_the_schedules_run_the_alias(template: Template) -> None:
    rules = template.resources("AWS::Events::Rule").values()
    targets = [target for rule in rules for target in rule["Targets"]]
    assert {referred(target["Arn"]) for target in targets} == {"MaintenanceFunctionAliaslive"}
    assert {target.get("Input") for target in targets} == {None, '{"task": "checks"}'}


def test_the_indexes_are_sparse_and_hold_no_more_than_their_readers_need(template: Template) -> None:
    tables = template.resources("AWS::DynamoDB::Table").values()
    indexes = {
        index["IndexName"]: index["Projection"].get("NonKeyAttributes", [])
        for table in tables
        for index in table.get("GlobalSecondaryIndexes", [])
    }
    assert indexes == {
        "lists": [],
        "webhookUndelivered": ["payload", "eventName"],
        "communityUndelivered": ["payload", "eventName"],
    }


def test_the_indexes_are_those_of_the_tests_tables(template: Template) -> None:
    tables = template.resources("AWS::DynamoDB::Table")
    for name, indexes in INDEXES.items():
        found = {}
        for each in tables[f"{name.capitalize()}Table"]["GlobalSecondaryIndexes"]:
            partition, sort = (key["AttributeName"] for key in each["KeySchema"])
            attributes = each["Projection"].get("NonKeyAttributes", [])
            found[each["IndexName"]] = Index(partition, sort, tuple(attributes))
        assert found == indexes


def test_all_data_at_rest_is_encrypted_by_the_key_of_the_stack(template: Template) -> None:
    template = template.by_default
    (key,) = template.resources("AWS::KMS::Key").values()
    assert key["EnableKeyRotation"] is True
    for name, table in template.resources("AWS::DynamoDB::Table").items():
        assert referred(table["SSESpecification"]["KMSMasterKeyId"]) == "Key", name
        assert (table["SSESpecification"]["SSEEnabled"], table["SSESpecification"]["SSEType"]) == (
            True,
            "KMS",
        )
    for name, queue in template.resources("AWS::SQS::Queue").items():
        assert referred(queue["KmsMasterKeyId"]) == "Key", name
        assert "SqsManagedSseEnabled" not in queue, name  # SQS takes one of the two
    for name, secret in template.resources("AWS::SecretsManager::Secret").items():
        assert referred(secret["KmsKeyId"]) == "Key", name


def test_without_a_key_of_its_own_the_stack_uses_those_of_aws(template: Template) -> None:
    """A key policy, a permission or an output that names the key would fail the deployment."""
    owned = template.decided({"EncryptionKey": "AwsOwned"})
    assert "Key" not in owned.document["Resources"]
    text = str(owned.document["Resources"]) + str(owned.document["Outputs"])
    assert not [each for each in ("['Key', 'Arn']", "{'Ref': 'Key'}", "${Key}", "${Key.") if each in text]
    assert "kms:" not in str(owned.document["Resources"])
    for name, queue in owned.resources("AWS::SQS::Queue").items():
        assert queue["SqsManagedSseEnabled"] is True, name
        assert not {"KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds"} & queue.keys(), name
    for name, table in owned.resources("AWS::DynamoDB::Table").items():
        assert table["SSESpecification"] == {"SSEEnabled": False}, name
    for kind in ("AWS::SecretsManager::Secret", "AWS::Logs::LogGroup"):
        for name, each in owned.resources(kind).items():
            assert "KmsKeyId" not in each, name
    webhooks = owned.resources("AWS::Lambda::Function")["WebhooksFunction"]
    assert webhooks["Environment"]["Variables"]["KMS_KEY_ID"] == ""


def test_producers_of_other_accounts_need_no_key_of_aws_s(template: Template) -> None:
    """SQS encrypts by its own key for each sender; a queue under aws/sqs would refuse them."""
    owned = template.decided({"EncryptionKey": "AwsOwned", "ProducerAccounts": "111111111111"})
    statements = owned.resources("AWS::SQS::QueuePolicy")["EventsQueuePolicy"]["PolicyDocument"]["Statement"]
    assert {"ProducerAccounts", "EventBridgeRulesOfThisAccount"} <= {each["Sid"] for each in statements}
    assert "alias/aws/" not in str(owned.document["Resources"])


def test_tables_are_on_demand_recoverable_and_protected(template: Template) -> None:
    for name, table in template.resources("AWS::DynamoDB::Table").items():
        recoverable = {"Ref": "LogBackups"} if name == "DeliveriesTable" else True
        assert table["BillingMode"] == "PAY_PER_REQUEST", name
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": recoverable}, name
        assert table["DeletionProtectionEnabled"] == {"Ref": "DeletionProtection"}, name


def test_tenant_data_outlives_the_stack(template: Template) -> None:
    types = ("AWS::DynamoDB::Table", "AWS::SecretsManager::Secret", "AWS::KMS::Key")
    for name in (*DEAD_LETTERS.values(), *(name for each in types for name in template.resources(each))):
        attributes = template.attributes(name)
        assert attributes["DeletionPolicy"] in {"Retain", "RetainExceptOnCreate"}, name
        assert attributes["UpdateReplacePolicy"] == "Retain", name


def test_a_creation_that_fails_can_be_rolled_back(template: Template) -> None:
    """A rollback deletes resources with RetainExceptOnCreate or no policy, and a protected one refuses that."""
    protected = {
        name: attributes.get("DeletionPolicy")
        for name, attributes in template.document["Resources"].items()
        if any("Protection" in each for each in attributes.get("Properties", {}))
    }
    assert protected == dict.fromkeys(template.resources("AWS::DynamoDB::Table"), "Retain")


def test_resources_that_a_rollback_can_delete_are_not_retained(template: Template) -> None:
    for each in ("AWS::SecretsManager::Secret", "AWS::KMS::Key"):
        for name in template.resources(each):
            assert template.attributes(name)["DeletionPolicy"] == "RetainExceptOnCreate", name
    for name in set(DEAD_LETTERS.values()):
        assert template.attributes(name)["DeletionPolicy"] == "RetainExceptOnCreate", name


def test_log_and_licenses_expire(template: Template) -> None:
    tables = template.resources("AWS::DynamoDB::Table")
    expiring = {name for name, table in tables.items() if "TimeToLiveSpecification" in table}
    assert expiring == {"DeliveriesTable", "AccessTable"}
    for name in expiring:
        assert tables[name]["TimeToLiveSpecification"] == {"AttributeName": "expiresAt", "Enabled": True}


def test_the_page_of_restores_names_all_that_a_deleted_stack_leaves(template: Template) -> None:
    """A resource that is added with a deletion policy belongs into docs/restore.md, "After `sam delete`"."""
    kept = {
        name
        for name, attributes in template.document["Resources"].items()
        if attributes.get("DeletionPolicy", "Delete") != "Delete"
        and attributes["Type"] != "AWS::Lambda::Version"  # which goes with its function
    }
    tables = {"SubscriptionsTable", "DeliveriesTable", "AccessTable"}
    secrets = {"ServiceKeysSecret", "SigningKeysSecret", "WebhookMasterSecret", "SeedsSecret"}
    api = {"ApiGatewayLogs", "ApiGatewayAccount"}
    assert kept == tables | secrets | api | set(DEAD_LETTERS.values()) | {"Key"}
