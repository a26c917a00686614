"""A local stack of the tests' own: it shares no port and no file, `make run` may be up beside it.

IAM decides in it: a test reaches the service by the roles of template.yaml alone. With E2E_TARGET the tests run against
a stack of an account instead (targets.py), without those that are marked with `local_only` and the reason.
"""

import hashlib
import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from local.emulator import free_port
from local.stack import Stack
from tests.e2e import permissions
from tests.e2e.platform_client import PlatformClient
from tests.e2e.targets import TARGET, deployed_target

# Beside samconfig.toml's: a parameter that a deployment does not name keeps the value of the one before it.
PARAMETERS = {"LogLevel": "INFO"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out tests that need the local stack where they run against another one."""
    if not os.environ.get(TARGET):
        return
    for item in items:
        if marker := item.get_closest_marker("local_only"):
            item.add_marker(pytest.mark.skip(reason=f"local only: {marker.args[0]}"))


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The deployed template. E2E_STACK names a folder whose stack is left up, for one test again and again."""
    if target := deployed_target():
        yield cast("Stack", target)  # tests without `local_only` use the half of a Stack that a Deployed has
        return
    kept = os.environ.get("E2E_STACK")
    folder = Path(kept) if kept else tmp_path_factory.mktemp("stack")
    deployed = Stack(folder, port=free_port(), environment=permissions.ENFORCED, parameters=PARAMETERS)
    try:
        deployed.up()
        permissions.permit_what_aws_would(deployed)
        began = time.time()
        yield deployed
        denied = permissions.denials(deployed, since=began)
        assert not [each for each in denied if not any(taken in each for taken in permissions.TAKEN)]
    finally:
        if not kept:
            deployed.forget()


def issue(stack: Stack, level: str, **scope: str) -> str:
    """Store a license as the operator's command does; returns its key."""
    key = str(uuid.uuid4())
    item = {
        "pk": {"S": f"license#{hashlib.sha256(key.encode()).hexdigest()}"},
        "authLevel": {"S": level},
        "tenantId": {"S": scope.get("tenant", "*")},
        "communityId": {"S": scope.get("community", "*")},
        "disabled": {"BOOL": False},
        "label": {"S": "e2e"},
    }
    stack.client("dynamodb").put_item(TableName=stack.outputs["AccessTable"], Item=item)
    return key


@pytest.fixture(scope="session")
def system(stack: Stack) -> PlatformClient:
    """A client with a system license for everything."""
    return PlatformClient(stack.api_url, issue(stack, "system"))


@pytest.fixture(scope="session")
def service(stack: Stack) -> PlatformClient:
    """A client with a service license for acme's community main."""
    return PlatformClient(stack.api_url, issue(stack, "service", tenant="acme", community="main"))
