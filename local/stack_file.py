"""`.local/stack.json` tells any program how to use the local stack."""

import json
import os
from pathlib import Path
from typing import Any

import urllib3

from local import emulator
from local.errors import LocalError
from local.stack import STACK_NAME, Stack

TENANT_ID, COMMUNITY_ID = "acme", "main"  # of the samples under events/


def describe(stack: Stack, licenses: dict[str, str]) -> dict[str, Any]:
    """Return the content of stack.json. Raises LocalError where the API does not return its public key."""
    outputs = stack.outputs
    return {
        "apiUrl": stack.api_url,
        "docsUrl": f"{stack.api_url}/docs",
        "consoleUrl": f"{stack.api_url}/console",
        "awsEndpoint": stack.endpoint,
        "region": emulator.REGION,
        "stackName": STACK_NAME,
        "eventsQueueUrl": outputs["EventsQueueUrl"],
        "deliveriesQueueUrl": outputs["DeliveriesQueueUrl"],
        "slowDeliveriesQueueUrl": outputs["SlowDeliveriesQueueUrl"],
        "eventsDlqUrl": outputs["EventsDlqUrl"],
        "recoveryQueueUrl": outputs["RecoveryQueueUrl"],
        "deliveriesDlqUrl": outputs["DeliveriesDlqUrl"],
        "recoveryDlqUrl": outputs["RecoveryDlqUrl"],
        "accessTable": outputs["AccessTable"],
        "tenantId": TENANT_ID,
        "communityId": COMMUNITY_ID,
        "licenses": licenses,
        "servicePublicKey": public_key(stack.api_url),
    }


def public_key(api_url: str) -> str:
    """Return the service's public key. Raises LocalError."""
    path = "GET /publickeys"
    try:
        response = urllib3.request("GET", f"{api_url}/publickeys", retries=False, timeout=30)
    except urllib3.exceptions.HTTPError as error:
        raise LocalError(f"{path} failed: {error}") from None
    try:
        return str(response.json()["publicKey"])
    except (ValueError, KeyError, TypeError):
        raise LocalError(
            f"{path} returned {response.status} without a key: {response.data[:300]!r}"
        ) from None


def write(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file atomically; only its owner can read it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
    draft.replace(path)


def read(path: Path) -> dict[str, Any]:
    """Read a JSON file; empty where it is missing or is not a JSON object."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
