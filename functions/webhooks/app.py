"""functions/webhooks: tenants fetch, create, change and delete webhooks, and read their secrets."""

from aws_lambda_powertools.event_handler import Response

from webhooks.bootstrap.runtime import invocation
from webhooks.bootstrap.webhooks import compose
from webhooks.entrypoints.api.community_request import Communities
from webhooks.entrypoints.api.resolver import RestApi, json_response, no_content
from webhooks.entrypoints.api.schemas.fetch import FetchIn
from webhooks.entrypoints.api.schemas.webhook import WebhookIn, WebhookPatch
from webhooks.entrypoints.api.webhook_responses import WebhookResponses
from webhooks.services.webhooks import Webhooks

COMMUNITY = "/tenant/<tenant_id>/community/<community_id>"
WEBHOOK = f"{COMMUNITY}/webhook/<webhook_id>"


def routes(communities: Communities, registration: Webhooks, responses: WebhookResponses) -> RestApi:
    """Return the API over the use cases."""
    api = RestApi(invocation)

    @api.post(f"{COMMUNITY}/webhooks/fetch")
    def fetch(tenant_id: str, community_id: str) -> Response[str]:
        call = communities.call(api, tenant_id, community_id)
        asked = call.optional_body(FetchIn)
        page, credentials = registration.fetch(
            call.caller, call.scope, index=asked.index, size=asked.size, tags=asked.tags or ()
        )
        return json_response(
            responses.page(call.caller, page, credentials, index=asked.index, size=asked.size)
        )

    @api.put(f"{COMMUNITY}/webhook")
    def create(tenant_id: str, community_id: str) -> Response[str]:
        call = communities.call(api, tenant_id, community_id)
        body = call.body(WebhookIn)
        created_by = body.created_by or call.caller.app_id
        return json_response(
            registration.create(
                call.change(responses.created(call.caller)),
                definition=body.to_definition(created_by=created_by),
                credential=body.api.to_credential(),
            )
        )

    @api.patch(WEBHOOK)
    def update(tenant_id: str, community_id: str, webhook_id: str) -> Response[str]:
        call = communities.call(api, tenant_id, community_id)
        wanted, patch = call.webhook_id(webhook_id), call.body(WebhookPatch).to_patch()
        return json_response(registration.update(call.change(responses.changed(call.caller)), wanted, patch))

    @api.delete(WEBHOOK)
    def delete(tenant_id: str, community_id: str, webhook_id: str) -> Response[str]:
        call = communities.call(api, tenant_id, community_id)
        registration.delete(call.change(responses.changed(call.caller)), call.webhook_id(webhook_id))
        return no_content()

    @api.get(f"{WEBHOOK}/secret")
    def secret(tenant_id: str, community_id: str, webhook_id: str) -> Response[str]:
        call = communities.call(api, tenant_id, community_id)
        webhook = registration.get(call.caller, call.scope, call.webhook_id(webhook_id))
        return json_response(responses.secret(call.caller, webhook))

    return api


app = compose()
lambda_handler = routes(app.communities, app.webhooks, app.responses).handle
