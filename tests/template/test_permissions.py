"""Each function may do what it does, and nothing else."""

from tests.template.template import Template, listed, referred

# AWS has no resource-level permissions for these; everything else names its resources.
WITHOUT_RESOURCES = {"xray:PutTraceSegments", "xray:PutTelemetryRecords", "secretsmanager:ListSecrets"}


def all_statements(template: Template):
    return [
        (role, statement)
        for role in template.function_roles().values()
        for statement in template.statements(role)
    ]


def test_each_function_has_a_role_of_its_own(template):
    roles = template.function_roles()
    assert len(set(roles.values())) == len(roles) == 7


def test_a_role_is_for_lambda_alone_and_has_inline_statements_only(template):
    for role in template.function_roles().values():
        properties = template.resources("AWS::IAM::Role")[role]
        (trust,) = properties["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}
        assert "ManagedPolicyArns" not in properties


def test_no_role_may_scan_a_table(template):
    assert not [
        role for role, statement in all_statements(template) if "dynamodb:Scan" in statement["Action"]
    ]


def test_no_action_is_a_wildcard(template):
    assert not [
        (role, action)
        for role, statement in all_statements(template)
        for action in statement["Action"]
        if "*" in action
    ]


def test_everything_is_allowed_on_named_resources_where_aws_can(template):
    for role, statement in all_statements(template):
        if "*" in [referred(resource) for resource in statement["Resource"]]:
            assert set(statement["Action"]) <= WITHOUT_RESOURCES, role


def test_a_function_writes_to_its_own_log_group_only(template):
    functions = template.resources("AWS::Lambda::Function")
    for function, role in template.function_roles().items():
        groups = [
            referred(resource)
            for statement in template.statements(role)
            for resource in statement["Resource"]
            if statement["Action"][0].startswith("logs:")
        ]
        assert groups == [referred(functions[function]["LoggingConfig"]["LogGroup"])]


def test_ecdsa_helper_may_log_and_trace_only(template):
    services = {
        action.partition(":")[0]
        for statement in template.statements("EcdsaHelperRole")
        for action in statement["Action"]
    }
    assert services == {"logs", "xray"}


def test_only_service_keys_writes_the_services_keys(template):
    writers = {
        role
        for role, statement in all_statements(template)
        if {"ServiceKeysSecret", "SigningKeysSecret"} & {referred(each) for each in statement["Resource"]}
        and "secretsmanager:PutSecretValue" in statement["Action"]
    }
    assert writers == {"ServiceKeysRole"}


def test_a_function_reads_the_secrets_that_its_environment_names(template):
    secrets = template.resources("AWS::SecretsManager::Secret").keys()
    functions = template.resources("AWS::Lambda::Function")
    for function, role in template.function_roles().items():
        named = {referred(value) for value in functions[function]["Environment"]["Variables"].values()}
        readable = {
            referred(resource)
            for statement in template.statements(role)
            for resource in statement["Resource"]
            if "secretsmanager:GetSecretValue" in statement["Action"]
        }
        assert readable & secrets == named & secrets, function


def test_what_is_encrypted_can_be_opened(template):
    """Tables, queues and secrets are encrypted by the key: who may use one may use the key."""
    for role in template.function_roles().values():
        actions = {action for statement in template.statements(role) for action in statement["Action"]}
        if any(action.startswith(("dynamodb:", "sqs:", "secretsmanager:")) for action in actions):
            assert "kms:Decrypt" in actions, role
        if actions & {"sqs:SendMessage", "secretsmanager:CreateSecret", "secretsmanager:PutSecretValue"}:
            assert "kms:GenerateDataKey" in actions, role


def test_queues_refuse_what_comes_without_tls(template):
    refusing = {
        referred(queue)
        for policy in template.resources("AWS::SQS::QueuePolicy").values()
        for queue in policy["Queues"]
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny"
        and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    }
    assert refusing == template.resources("AWS::SQS::Queue").keys()


def test_the_events_queue_takes_events_of_this_accounts_rules_only(template):
    allowed = [
        statement
        for policy in template.resources("AWS::SQS::QueuePolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]
    (statement,) = allowed
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert listed(statement["Action"]) == ["sqs:SendMessage"]
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
