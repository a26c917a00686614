"""Everything that is looked at before anything is created."""

from collections.abc import Iterator

from botocore.exceptions import ClientError

from acceptance.account import Account
from acceptance.artifacts import bucket_tags
from acceptance.deployed import describe, tags_of
from acceptance.errors import RefusedError
from acceptance.names import TAG, Names

CONCURRENCY = 20  # functions at once: ten for the queues, the others for the API and the receiver
COMFORTABLE = 100
USABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")


def require_own_names(account: Account, names: Names) -> None:
    """Raise RefusedError where a name is taken by something that no run has created."""
    for stack in names.stacks:
        found = describe(account, stack)
        if found is not None and not names.own(tags_of(found)):
            raise RefusedError(
                f"the stack {stack} exists in {account.region} without the tag {TAG}={names.service}: no run "
                "created it, so none touches it. Choose another STACK"
            )
    bucket = names.bucket(account.id, account.region)
    found_tags = bucket_tags(account, bucket)
    if found_tags is not None and not names.own(found_tags):
        raise RefusedError(f"the bucket {bucket} exists without the tag {TAG}: choose another STACK")


def require_quotas(account: Account) -> str:
    """Return the quota that matters, in words. Raises RefusedError where it is too low."""
    limit = account.client("lambda").get_account_settings()["AccountLimit"]
    free = int(limit.get("UnreservedConcurrentExecutions", limit["ConcurrentExecutions"]))
    if free < CONCURRENCY:
        raise RefusedError(
            f"the account runs {free} functions at once in {account.region}, and a run needs {CONCURRENCY}: "
            "ask for more in Service Quotas (Lambda, concurrent executions; free of charge)"
        )
    hint = "" if free >= COMFORTABLE else f"; below {COMFORTABLE}, other functions may be throttled meanwhile"
    return f"{free} functions at once{hint}"


def leftovers_of_a_run(account: Account, names: Names) -> Iterator[str]:
    """Yield the stacks of a former run that cannot be deployed to and must be deleted first."""
    for stack in names.stacks:
        found = describe(account, stack)
        if found is not None and (found["StackStatus"] not in USABLE or stack == names.failing):
            yield stack


def permitted(account: Account) -> None:
    """Raise RefusedError where the caller may not even look at stacks."""
    try:
        account.client("cloudformation").list_stacks(StackStatusFilter=["CREATE_COMPLETE"])
    except ClientError as error:
        raise RefusedError(f"the caller may not use CloudFormation: {error}") from None
