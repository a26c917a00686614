"""Everything that a check may use: the account, the stacks, callers of the API, receivers."""

import hashlib
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from acceptance.account import Account
from acceptance.deployed import Deployed
from acceptance.names import Names
from acceptance.remote_receiver import RemoteReceiver
from acceptance.sam import Sam
from tests.e2e.platform_client import PlatformClient

TENANT, COMMUNITY = "acme", "acceptance"


@dataclass
class Site:
    """A deployed service with its receiver; `began` is the run's start in epoch seconds."""

    account: Account
    names: Names
    folder: Path
    began: float = field(default_factory=time.time)
    patience: float = 1.0  # factor of the seconds that checks wait for

    @cached_property
    def service(self) -> Deployed:
        """The service's stack."""
        return Deployed(self.account, self.names.service)

    @cached_property
    def side(self) -> Deployed:
        """The receiver's stack, which has the producer's roles too."""
        return Deployed(self.account, self.names.receiver)

    @cached_property
    def sam(self) -> Sam:
        """The SAM CLI with its logs in the run's folder."""
        return Sam(self.account, self.names, self.folder)

    @cached_property
    def caller(self) -> PlatformClient:
        """A caller with a system license for everything."""
        key = str(uuid.uuid4())
        item = {
            "pk": {"S": f"license#{hashlib.sha256(key.encode()).hexdigest()}"},
            "authLevel": {"S": "system"},
            "tenantId": {"S": "*"},
            "communityId": {"S": "*"},
            "disabled": {"BOOL": False},
            "label": {"S": "acceptance"},
        }
        self.account.client("dynamodb").put_item(TableName=self.service.outputs["AccessTable"], Item=item)
        return PlatformClient(self.service.api_url, key, tenant=TENANT, community=COMMUNITY)

    def receiver(self) -> RemoteReceiver:
        """Return a session of the receiver."""
        return RemoteReceiver(self.account, self.names.receiver)

    def register(self, receiver: RemoteReceiver, **changes: Any) -> tuple[dict[str, Any], str]:
        """Register a webhook for an event name of its own; returns (webhook, event name)."""
        name = changes.pop("name", f"acceptance.{uuid.uuid4().hex[:12]}")
        api = {"url": f"{receiver.url}/hook", **changes.pop("api", {})}
        body = {"eventNames": [name], "name": name, "successCodes": [200], "api": api, **changes}
        response = self.caller.call("PUT", "webhook", body)
        if response.status != 200:
            raise AssertionError(f"PUT webhook: {response.status} {response.body!r}")
        return response.json, name

    def until(self, found: Callable[[], Any], *, seconds: float, pause: float = 2.0) -> Any:
        """Return the first true result; the last one in the end."""
        end = time.monotonic() + seconds * self.patience
        while not (result := found()) and time.monotonic() < end:
            time.sleep(pause)
        return result


def event(name: str, **changes: Any) -> dict[str, Any]:
    """Return an event for the community of the checks."""
    return {
        "eventId": str(uuid.uuid4()),
        "eventName": name,
        "tenantId": TENANT,
        "communityId": COMMUNITY,
        "occurredAt": "2026-01-15T09:30:00.250Z",
        "data": {"orderId": "A-1"},
        **changes,
    }


def as_text(events: Any) -> str:
    """Return an event, or a list of them, as a message's body."""
    return json.dumps(events)
