"""functions/webhooks: tenants fetch, create, change and delete webhooks, read and rotate their secrets."""

from webhooks.bootstrap.runtime import invocation
from webhooks.bootstrap.webhooks import compose
from webhooks.entrypoints.api.authenticator import Authenticator
from webhooks.entrypoints.api.powertools import Response
from webhooks.entrypoints.api.request import ApiRequest
from webhooks.entrypoints.api.resolver import RestApi, json_response, no_content
from webhooks.entrypoints.api.schemas.fetch import FetchIn
from webhooks.entrypoints.api.schemas.validate import read
from webhooks.entrypoints.api.schemas.webhook import WebhookIn, WebhookPatch
from webhooks.entrypoints.api.webhook_responses import WebhookResponses
from webhooks.entrypoints.probe import probed
from webhooks.services.endpoint_health import EndpointHealth
from webhooks.services.tenant_throttle import COSTLY, HEAVY
from webhooks.services.webhook_pages import WebhookPages
from webhooks.services.webhook_secrets import WebhookSecrets
from webhooks.services.webhooks import Webhooks, require_webhook_id

COMMUNITY = "/tenant/<tenant_id>/community/<community_id>"
WEBHOOK = f"{COMMUNITY}/webhook/<webhook_id>"


def routes(
    authenticator: Authenticator,
    webhooks: Webhooks,
    secrets: WebhookSecrets,
    *,
    pages: WebhookPages,
    health: EndpointHealth,
    responses: WebhookResponses,
) -> RestApi:
    """Return the API over the use cases."""
    api = RestApi(invocation)

    @api.post(f"{COMMUNITY}/webhooks/fetch")
    def fetch(request: ApiRequest, tenant_id: str, community_id: str) -> Response[str]:
        authorized = authenticator.community(request, tenant_id, community_id)
        asked = read(FetchIn, request.json_object() if request.body else {})
        if asked.wanted.looks_at_many:
            authenticator.charge(request, authorized, cost=HEAVY)
        page, credentials = pages.fetch(authorized, index=asked.index, size=asked.size, wanted=asked.wanted)
        return json_response(
            responses.page(authorized.caller, page, credentials, index=asked.index, size=asked.size)
        )

    @api.put(f"{COMMUNITY}/webhook")
    def create(request: ApiRequest, tenant_id: str, community_id: str) -> Response[str]:
        authorized = authenticator.community(request, tenant_id, community_id, cost=COSTLY)
        body = read(WebhookIn, request.json_object())
        return json_response(
            webhooks.create(
                authorized,
                credential=body.endpoint.to_credential(),
                definition=body.to_definition(created_by=authorized.caller.app_id),
                respond=responses.created,
            )
        )

    @api.get(WEBHOOK)
    def show(request: ApiRequest, tenant_id: str, community_id: str, webhook_id: str) -> Response[str]:
        authorized = authenticator.community(request, tenant_id, community_id, cost=COSTLY)
        shown = health.get(authorized.scope, webhook_id)
        [credential] = pages.credentials(authorized, [shown.webhook])
        return json_response(responses.shown(authorized.caller, shown, credential))

    @api.patch(WEBHOOK)
    def update(request: ApiRequest, tenant_id: str, community_id: str, webhook_id: str) -> Response[str]:
        authorized = authenticator.community(request, tenant_id, community_id, cost=COSTLY)
        require_webhook_id(webhook_id)
        patch = read(WebhookPatch, request.json_object()).to_patch()
        return json_response(webhooks.update(authorized, webhook_id, patch, respond=responses.changed))

    @api.delete(WEBHOOK)
    def delete(request: ApiRequest, tenant_id: str, community_id: str, webhook_id: str) -> Response[str]:
        authorized = authenticator.community(request, tenant_id, community_id, cost=COSTLY)
        webhooks.delete(authorized, webhook_id)
        return no_content()

    @api.get(f"{WEBHOOK}/secret")
    def secret(request: ApiRequest, tenant_id: str, community_id: str, webhook_id: str) -> Response[str]:
        authorized = authenticator.community(request, tenant_id, community_id)
        return json_response(responses.secret(authorized.caller, webhooks.get(authorized, webhook_id)))

    @api.post(f"{WEBHOOK}/secret/rotate")
    def rotate(request: ApiRequest, tenant_id: str, community_id: str, webhook_id: str) -> Response[str]:
        authorized = authenticator.community(request, tenant_id, community_id, cost=COSTLY)
        return json_response(secrets.rotate(authorized, webhook_id, respond=responses.secret))

    return api


app = compose()
api = routes(
    app.authenticator,
    app.webhooks,
    app.secrets,
    pages=app.pages,
    health=app.health,
    responses=app.responses,
)
lambda_handler = probed(api.handle, app.probes, invocation)
