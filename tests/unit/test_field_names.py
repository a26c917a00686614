"""The fields of a webhook have the same names in the domain, in requests and in responses."""

from dataclasses import fields
from typing import Any

import pytest
from pydantic import BaseModel

from webhooks.domain.webhook import Definition, Endpoint
from webhooks.entrypoints.api.schemas.webhook import ApiPatch, WebhookPatch
from webhooks.entrypoints.api.schemas.webhook_out import ApiOut, WebhookOut

CREDENTIAL = {"credential"}  # the domain has the reference of a secret in Webhook, and no value
OF_A_STORED_WEBHOOK = {"id", "tenant_id", "community_id", "disabled_reason"}


@pytest.mark.parametrize(
    ("domain", "schema", "more"),
    [
        (Definition, WebhookPatch, set()),
        (Definition, WebhookOut, OF_A_STORED_WEBHOOK),
        (Endpoint, ApiPatch, CREDENTIAL),
        (Endpoint, ApiOut, CREDENTIAL),
    ],
)
def test_domain_and_schemas_have_the_same_fields(
    domain: Any, schema: type[BaseModel], more: set[str]
) -> None:
    assert {each.name for each in fields(domain)} | more == set(schema.model_fields)
