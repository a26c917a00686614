"""`.local/stack.json`: what any program needs to use the local stack; and the file that only we read."""

import json
import os
from pathlib import Path
from typing import Any

import urllib3

from local import emulator
from local.stack import STACK_NAME, Stack

TENANT_ID, COMMUNITY_ID = "acme", "main"  # the samples' under events/


def describe(stack: Stack, licenses: dict[str, str]) -> dict[str, Any]:
    """Return the content of stack.json."""
    outputs = stack.outputs
    public_key = urllib3.request("GET", f"{stack.api_url}/publickeys", retries=False, timeout=30).json()
    return {
        "apiUrl": stack.api_url,
        "docsUrl": f"{stack.api_url}/docs",
        "awsEndpoint": stack.endpoint,
        "region": emulator.REGION,
        "stackName": STACK_NAME,
        "eventsQueueUrl": outputs["EventsQueueUrl"],
        "deliveriesQueueUrl": outputs["DeliveriesQueueUrl"],
        "slowDeliveriesQueueUrl": outputs["SlowDeliveriesQueueUrl"],
        "eventsDlqUrl": outputs["EventsDlqUrl"],
        "deliveriesDlqUrl": outputs["DeliveriesDlqUrl"],
        "accessTable": outputs["AccessTable"],
        "tenantId": TENANT_ID,
        "communityId": COMMUNITY_ID,
        "licenses": licenses,
        "servicePublicKey": public_key["publicKey"],
    }


def write(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file that only its owner can read, whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
    draft.replace(path)


def read(path: Path) -> dict[str, Any]:
    """Read a JSON file; empty where it is not there or is not readable as JSON."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
