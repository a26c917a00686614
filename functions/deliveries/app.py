"""functions/deliveries: tenants read the delivery log and the health of endpoints, operators communities."""

from aws_lambda_powertools.event_handler import Response

from webhooks.bootstrap.deliveries import compose
from webhooks.bootstrap.runtime import invocation
from webhooks.entrypoints.api import delivery_responses as responses
from webhooks.entrypoints.api import health_responses
from webhooks.entrypoints.api.authenticator import Authenticator
from webhooks.entrypoints.api.request import ApiRequest
from webhooks.entrypoints.api.resolver import RestApi, json_response
from webhooks.entrypoints.api.schemas.deliveries import DeliveriesIn, UndeliveredIn, cursor_of
from webhooks.entrypoints.api.schemas.health import CommunitiesIn, SeriesIn, WebhooksHealthIn
from webhooks.entrypoints.api.schemas.validate import read
from webhooks.ports import Communities
from webhooks.services.delivery_log import DeliveryLogs
from webhooks.services.endpoint_health import EndpointHealth

COMMUNITY = "/tenant/<tenant_id>/community/<community_id>"
WEBHOOK = f"{COMMUNITY}/webhook/<webhook_id>"


def routes(
    authenticator: Authenticator, *, log: DeliveryLogs, health: EndpointHealth, communities: Communities
) -> RestApi:
    """Return the API over the use cases."""
    api = RestApi(invocation)
    log_routes(api, authenticator, log=log)
    health_routes(api, authenticator, health=health)
    community_routes(api, authenticator, communities=communities)
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


def health_routes(api: RestApi, authenticator: Authenticator, *, health: EndpointHealth) -> None:
    """Add the routes of endpoints' health."""

    @api.post(f"{COMMUNITY}/webhooks/health")
    def several(request: ApiRequest, tenant_id: str, community_id: str) -> Response[str]:
        authorized = authenticator.community(request, tenant_id, community_id)
        asked = read(WebhooksHealthIn, request.json_object())
        shown = health.several(authorized.scope, asked.webhook_ids)
        return json_response(health_responses.webhooks_health(shown))

    @api.get(f"{COMMUNITY}/health")
    def community(request: ApiRequest, tenant_id: str, community_id: str) -> Response[str]:
        authorized = authenticator.community(request, tenant_id, community_id)
        return json_response(health_responses.community_health(health.community(authorized.scope)))

    @api.get(f"{WEBHOOK}/series")
    def series(request: ApiRequest, tenant_id: str, community_id: str, webhook_id: str) -> Response[str]:
        authorized = authenticator.community(request, tenant_id, community_id)
        asked = read(SeriesIn, request.query_fields())
        asked.require_order()
        shown = health.series(authorized.scope, webhook_id, since=asked.since, until=asked.until)
        return json_response(health_responses.series(shown))


def community_routes(api: RestApi, authenticator: Authenticator, *, communities: Communities) -> None:
    """Add the route of the deployment's communities."""

    @api.get("/communities")
    def fetch(request: ApiRequest) -> Response[str]:
        authenticator.operator(request)
        asked = read(CommunitiesIn, request.query_fields())
        page = communities.page(after=asked.after, size=asked.page_size)
        return json_response(health_responses.communities(page, size=asked.page_size))


app = compose()
lambda_handler = routes(app.authenticator, log=app.log, health=app.health, communities=app.communities).handle
