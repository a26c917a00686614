"""The bill: the quantities that CloudWatch has, at the command's prices; and the figures of cold starts."""

import json
from dataclasses import replace
from typing import Any

import pytest

from acceptance import bill
from acceptance.bill import ESTIMATE, MOST, Quantities, lines, measured, total, unmeasured
from acceptance.checks.figures import init_of
from acceptance.deployed import Deployed
from tests.unit.acceptance.fake_account import FakeAccount, FakeClient
from webhooks_cli.costs.prices import GB, US_EAST_1

NOTHING = Quantities(
    lambda_requests=None,
    lambda_gb_seconds=None,
    api_requests=None,
    queue_requests=None,
    write_units=None,
    read_units=None,
    key_requests=None,
    secret_calls=None,
    log_bytes=None,
)


def test_a_whole_run_is_estimated_below_a_dollar() -> None:
    assert 0.1 < total(lines(ESTIMATE)) <= MOST == 1.0


@pytest.mark.parametrize(
    ("changes", "item", "dollars"),
    [
        ({"lambda_gb_seconds": 10_000}, "time", 0.133334),
        ({"lambda_requests": 1e6}, "invocations", 0.20),
        ({"api_requests": 1e6}, "requests", 3.50),
        ({"queue_requests": 1e6}, "requests", 0.50),
        ({"write_units": 1e6}, "write units", 0.625),
        ({"key_requests": 1e6}, "requests", 3.00),
        ({"log_bytes": GB}, "log lines", 0.50),
        ({"alarms": 73}, "alarms", 0.01),
    ],
)
def test_a_quantity_costs_its_price(changes: dict[str, float], item: str, dollars: float) -> None:
    before = {(line.service, line.item) for line in lines(NOTHING)}
    [line] = [each for each in lines(replace(NOTHING, **changes)) if (each.service, each.item) not in before]

    assert line.item == item
    assert line.dollars == pytest.approx(dollars)


def test_quantities_without_data_are_named_and_not_counted_as_zero() -> None:
    assert [line.service for line in lines(NOTHING)] == ["KMS", "Secrets Manager"]
    assert len(unmeasured(NOTHING)) == 9
    assert unmeasured(ESTIMATE) == []


def test_the_prices_are_those_of_the_command() -> None:
    dear = replace(US_EAST_1, log_gb=5.0)
    quantities = replace(NOTHING, log_bytes=GB)

    assert total(lines(quantities, prices=dear)) - total(lines(quantities)) == pytest.approx(4.5)


def test_the_quantities_of_both_stacks_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"Invocations": 100, "Duration": 2_000, "NumberOfMessagesSent": 7, "Count": 50, "CallCount": 3}

    def data(MetricDataQueries: list[Any], **_: object) -> dict[str, Any]:  # noqa: N803 - AWS's name
        results = []
        for query in MetricDataQueries:
            name = query["MetricStat"]["Metric"]["MetricName"]
            results.append({"Id": query["Id"], "Values": [values[name] / 2] * 2 if name in values else []})
        return {"MetricDataResults": results}

    usage = [{"Dimensions": [{"Name": "Service", "Value": "KMS"}, {"Name": "Resource", "Value": "Decrypt"}]}]
    account = FakeAccount(
        cloudwatch=FakeClient(
            get_metric_data=data,
            list_metrics=lambda **asked: {
                "Metrics": usage if asked["Dimensions"][0]["Value"] == "KMS" else []
            },
        ),
        functions=FakeClient(get_function_configuration={"MemorySize": 512}),
    )
    resources = [
        {"ResourceType": "AWS::Lambda::Function", "PhysicalResourceId": "f"},
        {"ResourceType": "AWS::SQS::Queue", "PhysicalResourceId": "https://sqs/1/q"},
    ]
    monkeypatch.setattr(
        "acceptance.deployed.stack_resources", lambda _, name: resources if name == "a" else []
    )

    found = measured(account, (Deployed(account, "a"), Deployed(account, "b")), since=0.0)

    assert (found.lambda_requests, found.api_requests, found.queue_requests) == (100, 100, 7)
    assert found.lambda_gb_seconds == pytest.approx(1.0)
    assert (found.key_requests, found.secret_calls, found.write_units) == (3, None, None)


def test_a_report_line_tells_its_init() -> None:
    cold = {"type": "platform.report", "record": {"metrics": {"durationMs": 3, "initDurationMs": 412.5}}}
    warm = {"type": "platform.report", "record": {"metrics": {"durationMs": 3}}}

    assert init_of(json.dumps(cold)) == 412.5
    for line in (
        json.dumps(warm),
        "{}",
        "[]",
        "START RequestId",
        json.dumps({"type": "platform.start", "record": 1}),
    ):
        assert init_of(line) is None


def test_no_quantity_is_forgotten_in_the_bill() -> None:
    all_of_them = {line.item for line in lines(ESTIMATE)}
    assert len(lines(ESTIMATE)) == 14
    assert {"time", "write units", "metrics"} <= all_of_them
    assert bill.MOST == 1.0
