"""Each function has the permissions that it uses, and no other."""

from collections.abc import Collection
from typing import Any

from signing.sealed_text import seal_context
from tests.template.template import Template, listed, referred, settled
from webhooks.adapters.dynamodb import idempotency_items, rate_limiter

# The services that use the key for a function; it may use the key through them alone.
ENCRYPTING = [f"{each}.${{AWS::Region}}.amazonaws.com" for each in ("dynamodb", "secretsmanager", "sqs")]
SEPARATE_SECRETS = {"ServiceKeysSecret", "SigningKeysSecret", "WebhookMasterSecret"}
# AWS has no resource-level permissions for these; everything else names its resources.
WITHOUT_RESOURCES = {"xray:PutTraceSegments", "xray:PutTelemetryRecords", "secretsmanager:ListSecrets"}


def all_statements(template: Template) -> list[tuple[str, dict[str, Any]]]:
    return [
        (role, statement)
        for role in template.function_roles().values()
        for statement in template.statements(role)
    ]


def test_each_function_has_a_role_of_its_own(template: Template) -> None:
    roles = template.function_roles()
    assert len(set(roles.values())) == len(roles) == 13


def test_a_role_is_for_lambda_alone_and_has_inline_statements_only(template: Template) -> None:
    for role in template.function_roles().values():
        properties = template.resources("AWS::IAM::Role")[role]
        (trust,) = properties["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}
        assert "ManagedPolicyArns" not in settled(properties, template, template.defaults)


def test_every_role_can_be_bounded(template: Template) -> None:
    for name, role in template.resources("AWS::IAM::Role").items():
        assert role["PermissionsBoundary"] == {
            "Fn::If": ["HasPermissionsBoundary", {"Ref": "PermissionsBoundary"}, {"Ref": "AWS::NoValue"}]
        }, name


def test_no_role_may_scan_a_table(template: Template) -> None:
    assert not [
        role for role, statement in all_statements(template) if "dynamodb:Scan" in statement["Action"]
    ]


def test_an_index_is_queried_and_nothing_else(template: Template) -> None:
    of_indexes = {
        action
        for _, statement in all_statements(template)
        for resource in statement["Resource"]
        if "/index/" in str(resource)
        for action in statement["Action"]
    }
    assert of_indexes == {"dynamodb:Query"}


def test_no_action_is_a_wildcard(template: Template) -> None:
    assert not [
        (role, action)
        for role, statement in all_statements(template)
        for action in statement["Action"]
        if "*" in action
    ]


def test_permissions_name_their_resources_where_aws_can(template: Template) -> None:
    for role, statement in all_statements(template):
        if "*" in [referred(resource) for resource in statement["Resource"]]:
            assert set(statement["Action"]) <= WITHOUT_RESOURCES, role


def test_a_function_writes_to_its_own_log_group_only(template: Template) -> None:
    functions = template.resources("AWS::Lambda::Function")
    for function, role in template.function_roles().items():
        groups = [
            referred(resource)
            for statement in template.statements(role)
            for resource in statement["Resource"]
            if statement["Action"][0].startswith("logs:")
        ]
        assert groups == [referred(functions[function]["LoggingConfig"]["LogGroup"])]


def test_ecdsa_helper_may_log_and_trace_only(template: Template) -> None:
    services = {
        action.partition(":")[0]
        for statement in template.statements("EcdsaHelperRole")
        for action in statement["Action"]
    }
    assert services == {"logs", "xray"}


def test_only_the_service_keys_function_writes_the_service_keys(template: Template) -> None:
    writers = {
        role
        for role, statement in all_statements(template)
        if {"ServiceKeysSecret", "SigningKeysSecret"} & {referred(each) for each in statement["Resource"]}
        and "secretsmanager:PutSecretValue" in statement["Action"]
    }
    assert writers == {"ServiceKeysRole"}


def test_a_function_reads_the_secrets_that_its_environment_names(template: Template) -> None:
    secrets = template.resources("AWS::SecretsManager::Secret").keys()
    functions = template.by_default.resources("AWS::Lambda::Function")
    for function, role in template.by_default.function_roles().items():
        named = {referred(value) for value in functions[function]["Environment"]["Variables"].values()}
        readable = {
            referred(resource)
            for statement in template.statements(role)
            for resource in statement["Resource"]
            if "secretsmanager:GetSecretValue" in statement["Action"]
        }
        assert readable & secrets == named & secrets, function


def test_encrypted_data_can_be_decrypted(template: Template) -> None:
    """Tables, queues and secrets are encrypted by the key: a role that may use one may use the key."""
    for role in template.function_roles().values():
        actions = {action for statement in template.statements(role) for action in statement["Action"]}
        if any(action.startswith(("dynamodb:", "sqs:", "secretsmanager:")) for action in actions):
            assert "kms:Decrypt" in actions, role
        if actions & {"sqs:SendMessage", "secretsmanager:CreateSecret", "secretsmanager:PutSecretValue"}:
            assert "kms:GenerateDataKey" in actions, role


def test_a_function_uses_the_key_only_through_its_storage_services(
    template: Template,
) -> None:
    for role, statement in all_statements(template):
        if statement["Action"][0].startswith("kms:") and "Null" not in statement["Condition"]:
            via = statement["Condition"]["StringEquals"]["kms:ViaService"]
            assert [referred(each) for each in via] == ENCRYPTING, role


def test_only_functions_of_credentials_use_the_key_directly_and_with_a_webhooks_context(
    template: Template,
) -> None:
    """The wrapped keys of tables, queues and secrets have other contexts: none of them can be opened so."""
    direct = {
        role: statement
        for role, statement in all_statements(template)
        if statement["Action"][0].startswith("kms:") and "Null" in statement["Condition"]
    }
    context = sorted(seal_context("t", "c", "w"))
    for role, statement in direct.items():
        assert [referred(each) for each in statement["Resource"]] == ["Key"], role
        assert statement["Condition"] == {
            "Null": {f"kms:EncryptionContext:{name}": "false" for name in context},
            "ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["tenant", "community", "webhook"]},
        }
        assert context == sorted(["tenant", "community", "webhook"])
    assert {role: statement["Action"] for role, statement in direct.items()} == {
        "WebhooksRole": ["kms:Decrypt", "kms:GenerateDataKey"],
        "TestEventRole": ["kms:Decrypt"],
        "DispatcherRole": ["kms:Decrypt"],
    }


def test_no_function_writes_a_license(template: Template) -> None:
    """Beside them are what the webhooks function wrote, and how many requests tenants sent."""
    writing = {
        (
            role,
            *statement["Action"],
            *statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"],
        )
        for role, statement in all_statements(template)
        if "AccessTable" in [referred(each) for each in statement["Resource"]]
        and set(statement["Action"]) - {"dynamodb:GetItem", "dynamodb:BatchGetItem"}
    }
    limited = {"WebhooksRole", "DeliveriesRole", "EventsRole", "TestEventRole"}
    assert writing == {
        ("WebhooksRole", "dynamodb:PutItem", f"{idempotency_items.PREFIX}*"),
        *((role, "dynamodb:UpdateItem", f"{rate_limiter.PREFIX}*") for role in limited),
    }


def test_one_secret_for_all_seeds_is_the_only_one_that_functions_use(template: Template) -> None:
    """Each function that reads a seed reads the one secret; still only one function writes it."""
    one = template.decided({"SeedSecrets": "One"})
    assert one.resources("AWS::SecretsManager::Secret").keys() == {"SeedsSecret"}
    assert not [each for each in SEPARATE_SECRETS if each in str(one.document["Resources"])]
    outputs = {name: referred(each["Value"]) for name, each in one.document["Outputs"].items()}
    assert {outputs[each] for each in SEPARATE_SECRETS} == {"SeedsSecret"}

    separate = template.by_default
    assert separate.resources("AWS::SecretsManager::Secret").keys() == SEPARATE_SECRETS
    assert users(one, {"SeedsSecret"}, "GetSecretValue") == users(
        separate, SEPARATE_SECRETS, "GetSecretValue"
    )
    assert users(one, {"SeedsSecret"}, "PutSecretValue") == {"ServiceKeysRole"}


def users(template: Template, secrets: Collection[str], action: str) -> set[str]:
    """The roles that may take an action on some of these secrets."""
    return {
        role
        for role, properties in template.resources("AWS::IAM::Role").items()
        for policy in properties.get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
        if f"secretsmanager:{action}" in listed(statement["Action"])
        if {each["Fn::GetAtt"][0] for each in listed(statement["Resource"]) if "Fn::GetAtt" in each}
        & set(secrets)
    }


def test_the_health_check_covers_every_service_in_use(template: Template) -> None:
    may_ask = {
        referred(resource)
        for statement in template.statements("DiscoveryRole")
        for resource in statement["Resource"]
    }
    assert may_ask >= template.resources("AWS::DynamoDB::Table").keys()
    assert may_ask >= {"EventsQueue", "DeliveriesQueue", "SlowDeliveriesQueue", "RecoveryQueue"}
    assert may_ask >= {"ServiceKeysSecret", "SigningKeysSecret"}


def key_statement(template: Template, sid: str) -> dict[str, Any]:
    (key,) = template.by_default.resources("AWS::KMS::Key").values()
    statement: dict[str, Any]
    (statement,) = [each for each in key["KeyPolicy"]["Statement"] if each["Sid"] == sid]
    return statement


def test_cloudwatch_logs_has_the_key_permissions_that_aws_documents(template: Template) -> None:
    """CloudWatch Logs' user guide lists these with their wildcards."""
    assert key_statement(template, "LogGroupsOfThisStack")["Action"] == [
        "kms:Encrypt*",
        "kms:Decrypt*",
        "kms:ReEncrypt*",
        "kms:GenerateDataKey*",
        "kms:Describe*",
    ]


def test_eventbridge_may_use_the_key_for_this_account(template: Template) -> None:
    """SQS hands no source ARN on to KMS: a condition on it would drop every event of a rule, without a word."""
    assert key_statement(template, "EventBridgeSendsToTheEventsQueue")["Condition"] == {
        "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    }


def test_queues_refuse_requests_without_tls(template: Template) -> None:
    refusing = {
        referred(queue)
        for policy in template.by_default.resources("AWS::SQS::QueuePolicy").values()
        for queue in policy["Queues"]
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny"
        and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    }
    assert refusing == template.resources("AWS::SQS::Queue").keys()


def test_the_events_queue_takes_events_only_from_rules_of_this_account(template: Template) -> None:
    allowed = [
        statement
        for policy in template.by_default.resources("AWS::SQS::QueuePolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]
    (statement,) = allowed
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert listed(statement["Action"]) == ["sqs:SendMessage"]
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
