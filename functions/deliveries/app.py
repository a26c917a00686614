"""functions/deliveries: tenants read the delivery log."""

from aws_lambda_powertools.event_handler import Response

from webhooks.bootstrap.deliveries import compose
from webhooks.bootstrap.runtime import invocation
from webhooks.entrypoints.api import delivery_responses as responses
from webhooks.entrypoints.api.authenticator import Authenticator
from webhooks.entrypoints.api.request import ApiRequest
from webhooks.entrypoints.api.resolver import RestApi, json_response
from webhooks.entrypoints.api.schemas.deliveries import DeliveriesIn, UndeliveredIn, cursor_of
from webhooks.entrypoints.api.schemas.validate import read
from webhooks.services.delivery_log import DeliveryLogs

COMMUNITY = "/tenant/<tenant_id>/community/<community_id>"
WEBHOOK = f"{COMMUNITY}/webhook/<webhook_id>"


def routes(authenticator: Authenticator, *, log: DeliveryLogs) -> RestApi:
    """Return the API over the use cases."""
    api = RestApi(invocation)
    log_routes(api, authenticator, log=log)
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


app = compose()
lambda_handler = routes(app.authenticator, log=app.log).handle
