"""functions/deliveries: tenants read the delivery log, and replay deliveries."""

from aws_lambda_powertools.event_handler import Response

from webhooks.bootstrap.deliveries import compose
from webhooks.bootstrap.runtime import invocation
from webhooks.domain.replay import Replay
from webhooks.entrypoints.api import delivery_responses as responses
from webhooks.entrypoints.api import replay_responses
from webhooks.entrypoints.api.authenticator import Authenticator
from webhooks.entrypoints.api.request import ApiRequest
from webhooks.entrypoints.api.resolver import RestApi, accepted, json_response
from webhooks.entrypoints.api.schemas.deliveries import DeliveriesIn, UndeliveredIn, cursor_of
from webhooks.entrypoints.api.schemas.replays import ReplayIn, ReplaysIn
from webhooks.entrypoints.api.schemas.replays import cursor_of as replays_cursor
from webhooks.entrypoints.api.schemas.validate import read
from webhooks.services.delivery_log import DeliveryLogs
from webhooks.services.replays import TenantReplays

COMMUNITY = "/tenant/<tenant_id>/community/<community_id>"
WEBHOOK = f"{COMMUNITY}/webhook/<webhook_id>"


def routes(authenticator: Authenticator, *, log: DeliveryLogs, replays: TenantReplays) -> RestApi:
    """Return the API over the use cases."""
    api = RestApi(invocation)
    log_routes(api, authenticator, log=log)
    replay_routes(api, authenticator, replays=replays)
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


def replay_routes(api: RestApi, authenticator: Authenticator, *, replays: TenantReplays) -> None:
    """Add the routes of replays."""

    @api.post(f"{COMMUNITY}/deliveries/replay")
    def begin(request: ApiRequest, tenant_id: str, community_id: str) -> Response[str]:
        authorized = authenticator.community(request, tenant_id, community_id)
        asked = read(ReplayIn, request.json_object())
        wanted = asked.wanted(authorized.scope)
        if asked.dry_run:
            return json_response(replay_responses.count_fields(replays.count(authorized.scope, wanted)))
        begun = replays.begin(authorized, wanted)
        if isinstance(begun, Replay):
            return accepted(replay_responses.replay_fields(begun))
        return json_response(replay_responses.count_fields(begun))

    @api.get(f"{COMMUNITY}/replays")
    def fetch_replays(request: ApiRequest, tenant_id: str, community_id: str) -> Response[str]:
        authorized = authenticator.community(request, tenant_id, community_id)
        asked = read(ReplaysIn, request.query_fields())
        scope = authorized.scope
        found, last = replays.page(scope, after=asked.after(scope), size=asked.page_size)
        return json_response(replay_responses.replays_page(found, cursor=replays_cursor(scope, last)))

    @api.get(f"{COMMUNITY}/replay/<replay_id>")
    def show(request: ApiRequest, tenant_id: str, community_id: str, replay_id: str) -> Response[str]:
        authorized = authenticator.community(request, tenant_id, community_id)
        return json_response(replay_responses.replay_fields(replays.get(authorized.scope, replay_id)))

    @api.delete(f"{COMMUNITY}/replay/<replay_id>")
    def cancel(request: ApiRequest, tenant_id: str, community_id: str, replay_id: str) -> Response[str]:
        authorized = authenticator.community(request, tenant_id, community_id)
        return json_response(replay_responses.replay_fields(replays.cancel(authorized.scope, replay_id)))


app = compose()
lambda_handler = routes(app.authenticator, log=app.log, replays=app.replays).handle
