"""functions/deliveries: tenants read the delivery log, and explain events."""

from aws_lambda_powertools.event_handler import Response

from webhooks.bootstrap.deliveries import compose
from webhooks.bootstrap.runtime import invocation
from webhooks.entrypoints.api import delivery_responses as responses
from webhooks.entrypoints.api import limits
from webhooks.entrypoints.api.authenticator import Authenticator
from webhooks.entrypoints.api.explanation_responses import explanation_page
from webhooks.entrypoints.api.request import ApiRequest
from webhooks.entrypoints.api.resolver import RestApi, json_response
from webhooks.entrypoints.api.schemas.deliveries import DeliveriesIn, UndeliveredIn, cursor_of
from webhooks.entrypoints.api.schemas.explain import ExplainIn
from webhooks.entrypoints.api.schemas.explain import cursor_of as explained_cursor_of
from webhooks.entrypoints.api.schemas.validate import read
from webhooks.services.delivery_log import DeliveryLogs
from webhooks.services.explanation import Explanations

COMMUNITY = "/tenant/<tenant_id>/community/<community_id>"
WEBHOOK = f"{COMMUNITY}/webhook/<webhook_id>"


def routes(authenticator: Authenticator, *, log: DeliveryLogs, explanations: Explanations) -> RestApi:
    """Return the API over the use cases."""
    api = RestApi(invocation)
    log_routes(api, authenticator, log=log)
    explain_routes(api, authenticator, explanations=explanations)
    return api


def log_routes(api: RestApi, authenticator: Authenticator, *, log: DeliveryLogs) -> None:
    """Add the delivery log's routes."""

    @api.post(f"{WEBHOOK}/deliveries/fetch")
    def fetch(request: ApiRequest, tenant_id: str, community_id: str, webhook_id: str) -> Response[str]:
        authorized = authenticator.community(request, tenant_id, community_id)
        asked = read(DeliveriesIn, request.json_object() if request.body else {})
        query = asked.query(authorized.scope, webhook_id)
        page = log.page(query, after=asked.after(query), size=asked.page_size)
        return json_response(responses.deliveries_page(page, cursor=cursor_of(query, page.last)))

    @api.post(f"{COMMUNITY}/deliveries/fetch")
    def fetch_undelivered(request: ApiRequest, tenant_id: str, community_id: str) -> Response[str]:
        authorized = authenticator.community(request, tenant_id, community_id)
        asked = read(UndeliveredIn, request.json_object() if request.body else {})
        query = asked.query(authorized.scope)
        page = log.page(query, after=asked.after(query), size=asked.page_size)
        return json_response(responses.deliveries_page(page, cursor=cursor_of(query, page.last)))

    @api.get(f"{COMMUNITY}/delivery/<delivery_id>")
    def delivery(request: ApiRequest, tenant_id: str, community_id: str, delivery_id: str) -> Response[str]:
        authorized = authenticator.community(request, tenant_id, community_id)
        return json_response(responses.delivery(log.get(authorized.scope, delivery_id)))


def explain_routes(api: RestApi, authenticator: Authenticator, *, explanations: Explanations) -> None:
    """Add the route that explains events."""

    @api.post(f"{COMMUNITY}/events/explain")
    def explain(request: ApiRequest, tenant_id: str, community_id: str) -> Response[str]:
        authorized = authenticator.community(request, tenant_id, community_id)
        body = request.json_text(at_most=limits.EVENT_BODY_BYTES)
        asked = read(ExplainIn, body.values)
        question = asked.question(authorized.scope, body)
        page = explanations.page(question, asked.place(question))
        cursor = explained_cursor_of(question, page.following)
        return json_response(explanation_page(question, page, cursor=cursor))


app = compose()
lambda_handler = routes(app.authenticator, log=app.log, explanations=app.explanations).handle
