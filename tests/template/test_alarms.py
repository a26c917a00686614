"""Alarms: everything that can fail is watched, each alarm can go off, and leads to its section of the runbook."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.template.template import ROOT, referred, translations
from tests.template.test_storage import DEAD_LETTERS
from tests.template.watched import NAMESPACE, Watched, watched_by
from webhooks.entrypoints.batch_metrics import NEAR_DLQ_RECEIVES, STUCK_RECEIVES
from webhooks.metrics import CATALOGUE

TEMPLATE = translations([{"layers": [], "parameters": {}}])[0]
# Without those of a release, which CodeDeploy alone looks at.
ALARMS = {
    name: alarm
    for name, alarm in TEMPLATE.resources("AWS::CloudWatch::Alarm").items()
    if not name.endswith("CanaryAlarm")
}
PAGE = (ROOT / "docs" / "metrics.md").read_text("utf-8")
DAY = 24 * 3600
MAX_METRICS = 10  # of CloudWatch, in one alarm
PERIODS = {60, 300, 900, 3600}
# The forms in use: an evaluator of tests knows them.
EXPRESSIONS = {
    "SUM(FILL(METRICS(), 0))",
    "MAX(FILL(METRICS(), 0))",
    "MAX(METRICS())",
    "IF(errors >= 5, 100 * rate, 0)",
    "IF(held >= 3, 100 * held / tenants, 0)",
}
FUNCTION_NAMES = set(TEMPLATE.resources("AWS::Lambda::Function", optional=False))
API_FUNCTIONS = FUNCTION_NAMES - {
    "FanoutFunction",
    "DispatcherFunction",
    "RecoveryFunction",
    "MaintenanceFunction",
}
ALL = [each for alarm in ALARMS.values() for each in watched_by(alarm)]
each_alarm = pytest.mark.parametrize("name", ALARMS)


def kebab(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name.removesuffix("Alarm")).lower()


def found(metric: str, **dimensions: str) -> list[Watched]:
    """Return the watched metrics of a name that have these dimensions, whatever else."""
    return [each for each in ALL if each.name == metric and dimensions.items() <= each.dimensions.items()]


def alarms_on(metric: str, **dimensions: str) -> dict[str, dict[str, Any]]:
    return {
        name: alarm
        for name, alarm in ALARMS.items()
        if any(
            each.name == metric and dimensions.items() <= each.dimensions.items()
            for each in watched_by(alarm)
        )
    }


# Each alarm.


@each_alarm
def test_an_alarm_has_the_name_and_the_section_of_its_id(name: str) -> None:
    alarm = ALARMS[name]
    assert name.endswith("Alarm")
    assert alarm["AlarmName"] == {"Fn::Sub": f"${{AWS::StackName}}-{kebab(name)}"}
    sentence, link = alarm["AlarmDescription"].rsplit(" ", 1)
    assert link == f"docs/runbook.md#{kebab(name)}"
    assert sentence.endswith(".")
    assert len(sentence.split()) >= 6


def test_every_alarm_is_in_the_documents_with_its_reason() -> None:
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| ([^|]+) \| (good|bad) \| ([^|]+) \|$", PAGE, re.MULTILINE)
    treated = {"breaching": "bad", "notBreaching": "good"}
    assert sorted((name, missing) for name, _, missing, _ in rows) == sorted(
        (kebab(name), treated[alarm["TreatMissingData"]]) for name, alarm in ALARMS.items()
    )


def test_the_documents_have_the_price_of_all_alarms() -> None:
    basic = [name for name, alarm in ALARMS.items() if "Metrics" not in alarm]
    assert f"{len(ALARMS)} alarms on {len(ALL)} metrics at $0.10: ${len(ALL) / 10:.2f} a month" in PAGE
    assert f"`Alarms=Basic` has {len(basic)} of them: ${len(basic) / 10:.2f}" in PAGE
    assert TEMPLATE.defaults["Alarms"] == "All"


@each_alarm
def test_an_alarm_notifies_the_topic_when_it_begins_and_when_it_ends(name: str) -> None:
    topic = {"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}
    assert ALARMS[name]["AlarmActions"] == ALARMS[name]["OKActions"] == topic
    assert TEMPLATE.document["Conditions"]["HasAlarmTopic"] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmTopicArn"}, ""]}]
    }


@each_alarm
def test_an_alarm_on_several_metrics_is_one_of_all_and_another_is_basic(name: str) -> None:
    wanted = "HasAllAlarms" if "Metrics" in ALARMS[name] else "HasAlarms"
    assert TEMPLATE.attributes(name)["Condition"] == wanted


@each_alarm
def test_an_alarm_is_on_metrics_that_exist(name: str) -> None:
    watched = watched_by(ALARMS[name])
    assert [fault for each in watched for fault in each.faults(TEMPLATE)] == []
    assert 1 <= len(watched) <= MAX_METRICS


@each_alarm
def test_an_alarm_looks_at_full_periods_within_a_day(name: str) -> None:
    alarm = ALARMS[name]
    [period] = {each.period for each in watched_by(alarm)}
    assert period in PERIODS
    assert period * alarm["EvaluationPeriods"] <= DAY
    assert 1 <= alarm["DatapointsToAlarm"] <= alarm["EvaluationPeriods"]


@each_alarm
def test_the_expression_of_an_alarm_uses_its_own_metrics(name: str) -> None:
    if "Metrics" not in ALARMS[name]:
        return
    [expression] = [each for each in ALARMS[name]["Metrics"] if "Expression" in each]
    stats = [each for each in ALARMS[name]["Metrics"] if "MetricStat" in each]
    assert expression.get("ReturnData", True) is True
    assert expression["Expression"] in EXPRESSIONS
    assert all(each["ReturnData"] is False for each in stats)
    ids = [each["Id"] for each in stats]
    assert len({*ids, expression["Id"]}) == len(ids) + 1
    assert all(re.fullmatch(r"[a-z]\w*", each) for each in (*ids, expression["Id"]))
    if "METRICS()" not in expression["Expression"]:
        assert set(re.findall(r"\b[a-z]+\b", expression["Expression"])) == set(ids)


def test_only_the_silence_of_the_schedule_is_bad_news() -> None:
    """A count of 0 is not written; a queue that nothing uses has no metrics after six hours."""
    breaching = [name for name, alarm in ALARMS.items() if alarm["TreatMissingData"] == "breaching"]
    assert breaching == ["ScheduleSilentAlarm"]


# Everything that can fail is watched.


@pytest.mark.parametrize("queue", DEAD_LETTERS)
def test_the_age_of_each_queue_is_watched_at_minutes_and_at_days(queue: str) -> None:
    thresholds = sorted(
        alarm["Threshold"] for alarm in alarms_on("ApproximateAgeOfOldestMessage", QueueName=queue).values()
    )
    retention = TEMPLATE.resources("AWS::SQS::Queue")[queue]["MessageRetentionPeriod"]
    has_delays = queue in {"SlowDeliveriesQueue", "RecoveryQueue"}
    assert thresholds == [3600 if has_delays else 900, 3 * DAY]
    assert retention - 3 * DAY >= 4 * DAY  # time to act in
    assert found("ApproximateNumberOfMessagesNotVisible", QueueName=queue)


def test_every_queue_is_watched() -> None:
    watched = {each.dimensions["QueueName"] for each in ALL if each.namespace == "AWS/SQS"}
    # A tenant's broken endpoint fills this one: its faults of ours are counted where they are made.
    assert set(TEMPLATE.resources("AWS::SQS::Queue")) - watched == {"DeliveriesDlq"}
    assert set(DEAD_LETTERS) | set(DEAD_LETTERS.values()) == watched | {"DeliveriesDlq"}


def test_each_dead_letter_queue_has_alarms() -> None:
    watches: dict[str, Callable[[], object]] = {
        "EventsDlq": lambda: (
            found("EventsPoisoned") and found("ApproximateAgeOfOldestMessage", QueueName="EventsDlq")
        ),
        "DeliveriesDlq": lambda: found("DeliveriesPoisoned"),
        "RecoveryDlq": lambda: found("ApproximateNumberOfMessagesVisible", QueueName="RecoveryDlq"),
    }
    assert watches.keys() == set(DEAD_LETTERS.values())
    assert [name for name, watch in watches.items() if not watch()] == []


def test_the_alarm_on_old_dead_letters_leaves_time_to_act() -> None:
    [alarm] = alarms_on("ApproximateAgeOfOldestMessage", QueueName="EventsDlq").values()
    retention = TEMPLATE.resources("AWS::SQS::Queue")["EventsDlq"]["MessageRetentionPeriod"]
    assert retention - alarm["Threshold"] == 4 * DAY


@pytest.mark.parametrize("queue", DEAD_LETTERS)
def test_messages_that_a_queue_is_about_to_move_are_watched(queue: str) -> None:
    """SQS has no metric for its own moves, and leaves a message of three receives out of its oldest age."""
    properties = TEMPLATE.resources("AWS::SQS::Queue")[queue]
    hidden, receives = properties["VisibilityTimeout"], properties["RedrivePolicy"]["maxReceiveCount"]
    assert 12 <= (STUCK_RECEIVES - 1) * hidden / 60 < 13  # minutes
    assert 30 <= (receives - NEAR_DLQ_RECEIVES) * hidden / 60 < 31
    readers = {CATALOGUE[name].values for name in ("MessagesFailed", "MessagesStuck", "MessagesNearDlq")}
    assert readers == {("fanout", "dispatcher", "recovery")}
    for metric in ("MessagesStuck", "MessagesNearDlq"):
        assert {each.dimensions["service"] for each in found(metric)} == set(*readers)


@pytest.mark.parametrize("function", sorted(FUNCTION_NAMES))
@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
def test_each_function_is_watched(function: str, metric: str) -> None:
    [watched] = found(metric, FunctionName=function)
    assert watched.statistic == "Sum"


def test_drops_are_watched_of_each_function_that_sends_to_a_queue() -> None:
    senders = {
        function
        for function, role in TEMPLATE.function_roles().items()
        for statement in TEMPLATE.statements(role)
        if "sqs:SendMessage" in statement["Action"] and function in FUNCTION_NAMES
    }
    assert {each.dimensions["FunctionName"] for each in found("RecursiveInvocationsDropped")} == senders


def test_the_api_is_watched() -> None:
    assert {each.statistic for each in found("5XXError")} == {"Sum", "Average"}
    for each in found("5XXError"):
        assert each.dimensions == {"ApiName": "AWS::StackName", "Stage": "Stage"}
    [api] = TEMPLATE.resources("AWS::ApiGateway::RestApi").values()
    [stage] = TEMPLATE.resources("AWS::ApiGateway::Stage").values()
    assert (api["Name"], stage["StageName"]) == ({"Ref": "AWS::StackName"}, {"Ref": "Stage"})
    # test_event waits for a tenant's endpoint.
    slow = {each.dimensions["FunctionName"] for each in found("Duration")}
    assert slow == API_FUNCTIONS - {"TestEventFunction"}
    assert {each.statistic for each in found("Duration")} == {"p99"}


@pytest.mark.parametrize("table", TEMPLATE.resources("AWS::DynamoDB::Table"))
def test_each_table_is_watched_with_its_indexes(table: str) -> None:
    properties = TEMPLATE.resources("AWS::DynamoDB::Table")[table]
    indexes = {each["IndexName"] for each in properties.get("GlobalSecondaryIndexes", [])}
    for metric in ("ReadThrottleEvents", "WriteThrottleEvents"):
        watched = found(metric, TableName=table)
        assert {each.dimensions.get("GlobalSecondaryIndexName") for each in watched} == {None, *indexes}


@pytest.mark.parametrize("table", TEMPLATE.resources("AWS::DynamoDB::Table"))
def test_each_call_to_a_table_is_watched(table: str) -> None:
    """The functions put and delete items in transactions and batches only."""
    allowed = {
        action.removeprefix("dynamodb:")
        for role in TEMPLATE.function_roles().values()
        for statement in TEMPLATE.statements(role)
        for action in statement["Action"]
        if action.startswith("dynamodb:") and table in str(statement["Resource"])
    }
    in_transactions = {"PutItem", "DeleteItem", "ConditionCheckItem"}
    calls = (allowed - in_transactions) | ({"TransactWriteItems"} if allowed & in_transactions else set())
    watched = {each.dimensions["Operation"] for each in found("SystemErrors", TableName=table)}
    assert watched == calls


@pytest.mark.parametrize(
    "metric",
    [
        "EventsPoisoned",
        "EventsInvalid",
        "DeliveriesPoisoned",
        "DeliveriesUnrecorded",
        "ChecksStopped",
        "CleanupStopped",
    ],
)
def test_faults_that_the_code_counts_are_watched(metric: str) -> None:
    [watched] = found(metric)
    assert watched.namespace == NAMESPACE


def test_the_latency_of_the_fast_lane_and_open_breakers_are_watched() -> None:
    [latency] = found("EventToDelivery")
    assert (latency.dimensions, latency.statistic) == ({"lane": "fast"}, "p99")
    [breakers] = alarms_on("TenantsHeld").values()
    assert breakers["Threshold"] == 20  # per cent; the expression needs three tenants


def test_dead_letters_of_tenants_set_off_no_alarm() -> None:
    tenants = (
        "DeliveriesDead",
        "DeliveriesRetried",
        "DeliveriesHeld",
        "DeliveriesSkipped",
        "EventsUnmatched",
    )
    assert [metric for metric in tenants if found(metric)] == []
    assert found("ApproximateNumberOfMessagesVisible", QueueName="DeliveriesDlq") == []


def test_a_wrong_metric_is_noticed() -> None:
    for namespace, name, dimensions in (
        (NAMESPACE, "Event", {"service": "fanout"}),
        (NAMESPACE, "Events", {"service": "dispatcher"}),
        (NAMESPACE, "EventToDelivery", {"service": "dispatcher"}),
        ("AWS/SQS", "NumberOfMessagesMoved", {"QueueName": "EventsQueue"}),
        ("AWS/SQS", "ApproximateAgeOfOldestMessage", {"QueueName": "FanoutFunction"}),
        ("AWS/DynamoDB", "SystemErrors", {"TableName": "AccessTable"}),
        (
            "AWS/DynamoDB",
            "ReadThrottleEvents",
            {"TableName": "SubscriptionsTable", "GlobalSecondaryIndexName": "none"},
        ),
    ):
        assert Watched(namespace, name, dimensions, "Sum", 300).faults(TEMPLATE), name
    assert Watched("AWS/Lambda", "Errors", {"FunctionName": "FanoutFunction"}, "Total", 300).faults(TEMPLATE)


def test_the_namespace_is_that_of_the_functions() -> None:
    functions = TEMPLATE.resources("AWS::Lambda::Function")
    for name in FUNCTION_NAMES:
        given: dict[str, Any] = functions[name]["Environment"]["Variables"]
        assert referred(given["POWERTOOLS_METRICS_NAMESPACE"]) == NAMESPACE, name
