"""The secrets of all credentials: their names, the tags that bind them to a deployment, their expiry.

A stack of the same name uses the same names, and so does one whose table was restored: only the tags tell
which table and which stack a secret belongs to.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.aws.errors import error_code, unavailable
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import WEBHOOK_ID
from webhooks.ports import ListedCredential

OF = "webhooks:credential-of"  # tag: tenant/community/webhook
TABLE, STACK = "webhooks:table", "webhooks:stack"
RECOVERY_DAYS = 30  # the longest that there is
# The second one: it is marked for deletion.
ABSENT = frozenset({"ResourceNotFoundException", "InvalidRequestException"})
# Eight characters at the end, as Secrets Manager takes a name that ends in a hyphen and six for an ARN's.
_NAME = re.compile(rf"([^/]+)/([^/]+)/({WEBHOOK_ID.pattern})-[0-9a-f]{{8}}", re.ASCII)


def binding(*, table: str, stack: str) -> dict[str, str]:
    """Return the tags of a deployment's secrets. `table`: its subscriptions table; `stack`: its id."""
    return {TABLE: table, STACK: stack}


def is_bound(tags: Sequence[Mapping[str, Any]], to: Mapping[str, str]) -> bool:
    """Tell whether a secret with these tags belongs to the deployment."""
    return to.items() <= {tag["Key"]: tag["Value"] for tag in tags}.items()


def as_tags(tags: Mapping[str, str]) -> list[Any]:
    """Return tags in the form that Secrets Manager takes."""
    return [{"Key": name, "Value": value} for name, value in tags.items()]


def path_of(scope: Scope, webhook_id: str) -> str:
    """Return the part of the names of a webhook's secrets between the prefix and their random end."""
    return f"{scope.tenant_id}/{scope.community_id}/{webhook_id}"


def webhook_of(secret_name: str, prefix: str) -> tuple[Scope, str] | None:
    """Return the scope and id of the webhook in a secret's name; None for another kind of secret."""
    path = _NAME.fullmatch(secret_name.removeprefix(prefix))
    if path is None or not secret_name.startswith(prefix):
        return None
    return Scope(path[1], path[2]), path[3]


class ListedSecrets:
    """The credentials' secrets under a prefix. `tags`: those of this deployment, as `binding` makes them."""

    def __init__(self, aws: AwsClients, *, prefix: str, tags: Mapping[str, str]) -> None:
        self._aws = aws
        self._prefix = prefix
        self._tags = tags

    def listed(self) -> Sequence[ListedCredential]:
        """Return every credential's secret, but for those that wait for their deletion."""
        request: dict[str, Any] = {"Filters": [{"Key": "name", "Values": [self._prefix]}], "MaxResults": 100}
        found = []
        while True:
            with unavailable("secretsmanager ListSecrets"):
                response = self._aws.secrets.list_secrets(**request)
            for secret in response["SecretList"]:
                if webhook := webhook_of(secret["Name"], self._prefix):
                    is_ours = is_bound(secret.get("Tags", []), self._tags)
                    created_at = secret["CreatedDate"].timestamp()
                    found.append(ListedCredential(secret["Name"], *webhook, created_at, is_ours))
            if not response.get("NextToken"):
                return found
            request["NextToken"] = response["NextToken"]

    def expire(self, secret_name: str) -> None:
        """Have a secret deleted in 30 days; until then RestoreSecret brings it back."""
        with unavailable("secretsmanager DeleteSecret"):
            try:
                self._aws.secrets.delete_secret(SecretId=secret_name, RecoveryWindowInDays=RECOVERY_DAYS)
            except ClientError as error:
                if error_code(error) not in ABSENT:
                    raise
