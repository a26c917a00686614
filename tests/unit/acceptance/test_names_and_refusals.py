"""Names, refusals and the confirmation: nothing begins in the wrong account or on a name that is taken."""

from functools import partial

import pytest

from acceptance import preflight
from acceptance.console import confirm
from acceptance.errors import RefusedError
from acceptance.names import names_of
from acceptance.parameters import parameters_for
from tests.unit.acceptance.fake_account import NAMES, OWN, FakeAccount, FakeClient, Stacks, as_tags, missing


def no_bucket(**_request: str) -> None:
    raise missing("404")


NO_BUCKET = FakeClient(head_bucket=no_bucket)


def limits(free: int) -> FakeAccount:
    limit = {"ConcurrentExecutions": free, "UnreservedConcurrentExecutions": free}
    return FakeAccount(functions=FakeClient(get_account_settings={"AccountLimit": limit}))


def test_a_run_never_has_the_name_of_a_deployment_in_use() -> None:
    names = names_of("webhooks")

    assert names.stacks == (
        "webhooks-acceptance-failing",
        "webhooks-acceptance-receiver",
        "webhooks-acceptance",
    )
    assert all(name.startswith("webhooks-acceptance") for name in (*names.stacks, names.bus, names.prefix))


def test_the_longest_name_makes_a_bucket_that_s3_takes() -> None:
    assert len(names_of("a" * 15).bucket("1" * 12, "ap-southeast-2")) <= 63


@pytest.mark.parametrize("stack", ["", "Shop", "a b", "a" * 16, "-a", "shop;rm"])
def test_a_name_that_stacks_cannot_have_is_refused(stack: str) -> None:
    with pytest.raises(RefusedError, match="at most 15 lower-case letters"):
        names_of(stack)


@pytest.mark.parametrize("tags", [{}, {"webhooks:acceptance": "other-acceptance"}, {"team": "shop"}])
def test_a_foreign_stack_of_the_name_is_refused(tags: dict[str, str]) -> None:
    account = FakeAccount(cloudformation=Stacks({NAMES.receiver: ("CREATE_COMPLETE", tags)}), s3=NO_BUCKET)

    with pytest.raises(RefusedError, match="shop-acceptance-receiver exists in eu-central-1 without the tag"):
        preflight.require_own_names(account, NAMES)


def test_a_foreign_bucket_of_the_name_is_refused() -> None:
    bucket = FakeClient(head_bucket={}, get_bucket_tagging={"TagSet": as_tags({"team": "shop"})})
    account = FakeAccount(cloudformation=Stacks({}), s3=bucket)

    with pytest.raises(RefusedError, match="the bucket shop-acceptance-123456789012-eu-central-1 exists"):
        preflight.require_own_names(account, NAMES)


def test_stacks_of_an_earlier_run_are_not_refused() -> None:
    account = FakeAccount(cloudformation=Stacks({NAMES.service: ("CREATE_COMPLETE", OWN)}), s3=NO_BUCKET)

    preflight.require_own_names(account, NAMES)

    assert list(preflight.leftovers_of_a_run(account, NAMES)) == []


@pytest.mark.parametrize(
    ("name", "status"),
    [
        (NAMES.service, "ROLLBACK_COMPLETE"),
        (NAMES.service, "DELETE_FAILED"),
        (NAMES.failing, "CREATE_COMPLETE"),
    ],
)
def test_a_stack_that_cannot_be_deployed_to_is_deleted_first(name: str, status: str) -> None:
    account = FakeAccount(cloudformation=Stacks({name: (status, OWN)}))

    assert list(preflight.leftovers_of_a_run(account, NAMES)) == [name]


def test_a_strangers_bucket_with_the_runs_name_and_tag_is_refused() -> None:
    """The name can be guessed: who reads artefacts from a bucket runs what its owner has put there."""

    def of_another(ExpectedBucketOwner: str = "", **_: str) -> dict[str, object]:  # noqa: N803 - AWS's name
        if ExpectedBucketOwner == "123456789012":
            raise missing("403")
        return {"TagSet": as_tags(OWN)}

    bucket = FakeClient(head_bucket=of_another, get_bucket_tagging=of_another)
    with pytest.raises(RefusedError, match="cannot be read"):
        preflight.require_own_names(FakeAccount(cloudformation=Stacks({}), s3=bucket), NAMES)


def test_an_account_with_too_few_functions_at_once_is_refused() -> None:
    with pytest.raises(RefusedError, match="runs 10 functions at once"):
        preflight.require_quotas(limits(10))
    assert "throttled" in preflight.require_quotas(limits(50))
    assert preflight.require_quotas(limits(1000)) == "1000 functions at once"


def test_the_confirmation_is_the_accounts_id() -> None:
    account = FakeAccount()

    confirm(account, "123456789012")
    confirm(account, "", ask=lambda _: " 123456789012 ", terminal=True)
    with pytest.raises(RefusedError, match="CONFIRM=210987654321 is not this account"):
        confirm(account, "210987654321")
    with pytest.raises(RefusedError, match="repeat with CONFIRM=123456789012"):
        confirm(account, "", terminal=False)
    for typed in ("y", "", "12345678901"):
        with pytest.raises(RefusedError, match="nothing was created"):
            confirm(account, "", ask=partial(str.format, typed), terminal=True)


def test_a_role_for_logs_that_the_account_has_is_kept() -> None:
    has = FakeAccount(apigateway=FakeClient(get_account={"cloudwatchRoleArn": "arn:aws:iam::1:role/logs"}))
    lacks = FakeAccount(apigateway=FakeClient(get_account={}))

    assert parameters_for(has, NAMES)["ApiGatewayLogsRole"] == "Existing"
    assert parameters_for(lacks, NAMES)["ApiGatewayLogsRole"] == "Create"


def test_the_runs_own_role_is_not_given_up_by_its_next_deployment() -> None:
    role = "arn:aws:iam::1:role/shop-acceptance-ApiGatewayLogs-1"
    own = FakeAccount(apigateway=FakeClient(get_account={"cloudwatchRoleArn": role}))

    assert parameters_for(own, NAMES)["ApiGatewayLogsRole"] == "Create"


def test_an_account_gets_the_guards_of_production() -> None:
    parameters = parameters_for(FakeAccount(apigateway=FakeClient(get_account={})), NAMES)

    assert not {"AllowHttpEndpoints", "AllowedNetworks", "AllowedPorts"} & set(parameters)
    assert parameters["DeletionProtection"] == "false"
