"""Every operation of the API: one row each, in the specification's order."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from tools.openapi import delivery_examples, event_examples, examples
from tools.openapi import responses as schemas
from webhooks.domain.event import MAX_BODY_BYTES
from webhooks.entrypoints.api import limits
from webhooks.entrypoints.api.schemas.deliveries import DeliveriesIn, UndeliveredIn
from webhooks.entrypoints.api.schemas.delivery_out import DeliveriesOut, ShownDeliveryOut
from webhooks.entrypoints.api.schemas.ecdsa import EcdsaIn
from webhooks.entrypoints.api.schemas.explain import ExplainIn
from webhooks.entrypoints.api.schemas.explain_out import ExplanationOut
from webhooks.entrypoints.api.schemas.fetch import FetchIn
from webhooks.entrypoints.api.schemas.publish import PublishIn
from webhooks.entrypoints.api.schemas.test_event import SendTestIn, SentTestOut
from webhooks.entrypoints.api.schemas.webhook import WebhookIn, WebhookPatch
from webhooks.entrypoints.api.schemas.webhook_out import CreatedOut, PageOut, SecretOut, WebhookOut

WEBHOOKS, DELIVERIES, EVENTS = "Webhooks", "Deliveries", "Events"
KEYS, ECDSA = "Service Key", "ECDSA Helper"
COMMUNITY = "/tenant/{tenantId}/community/{communityId}"
WEBHOOK = f"{COMMUNITY}/webhook/{{webhookId}}"
SCOPED = ("tenantId", "communityId")
ONE = (*SCOPED, "webhookId")

ANY_CALL = (404, 405, 429, 500, 503)
SIGNED = (400, 401, 403, *ANY_CALL)
WITH_BODY = (*SIGNED, 413, 415)
CHANGE = (*WITH_BODY, 409)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A method of a path. `response`: a model, a JSON schema, a media type, or None for no body.

    `other`: the model and an example of a further response, by its status.
    """

    id: str
    method: str
    path: str
    tag: str
    summary: str
    text: str = ""
    parameters: tuple[str, ...] = ()
    signed: bool = False
    body: type[BaseModel] | None = None
    bodies: Mapping[str, Any] = field(default_factory=dict)
    body_required: bool = True
    status: int = 200
    response: type[BaseModel] | Mapping[str, Any] | str | None = None
    example: Any = None
    other: Mapping[int, tuple[type[BaseModel], Any]] = field(default_factory=dict)
    errors: tuple[int, ...] = ANY_CALL


def _open(name: str, path: str, tag: str, summary: str, **more: Any) -> Operation:
    return Operation(id=name, method="get", path=path, tag=tag, summary=summary, **more)


OPERATIONS = (
    Operation(
        id="fetchWebhooks",
        method="post",
        path=f"{COMMUNITY}/webhooks/fetch",
        tag=WEBHOOKS,
        summary="Fetch webhooks.",
        text="Newest first, a page at a time; a page past the end has no data. Only a system license gets "
        "credentials, each value as an envelope for the caller. The body may be left out. A "
        "response has at most 5 MB: a page whose webhooks do not fit has fewer of them, and `page.size` says "
        "how many, less than the `pSize` that was asked for; a smaller `pSize` gets the others. A page of 25 "
        "always fits. With `state` or `name`, `page.total` is of the webhooks that fit all filters; where "
        "the community has more than are looked at, `page.isExact` is false.",
        parameters=SCOPED,
        signed=True,
        body=FetchIn,
        bodies={
            "a page": {"pIndex": 0, "pSize": 25},
            "with a tag": {"tags": ["log_stream"]},
            "paused ones": {"state": "paused", "name": "document"},
        },
        body_required=False,
        response=PageOut,
        example=examples.PAGE,
        errors=WITH_BODY,
    ),
    Operation(
        id="createWebhook",
        method="put",
        path=f"{COMMUNITY}/webhook",
        tag=WEBHOOKS,
        summary="Create a webhook.",
        text="The response has the webhook's `whsec_` secret, as an envelope for the caller. The exact "
        "repeat of a request (caller, uuid, method, path and body) gets the first response again while the "
        "webhook exists; the repeat of a change, while the webhook is as that change left it. A community "
        "with as many webhooks as the deployment allows (`webhooksPerCommunity` of `/environment`) gets a "
        "409.",
        parameters=SCOPED,
        signed=True,
        body=WebhookIn,
        bodies={
            "small": examples.CREATE_SMALL,
            "basic": examples.CREATE,
            "oauth2": examples.CREATE_OAUTH2,
        },
        response=CreatedOut,
        example=examples.CREATED,
        errors=CHANGE,
    ),
    Operation(
        id="updateWebhook",
        method="patch",
        path=WEBHOOK,
        tag=WEBHOOKS,
        summary="Change a webhook.",
        text="Omitted fields are unchanged, the credential too; `api` may be partial. null resets a field to "
        "its default. The whole webhook is validated, and a refused change changes nothing.",
        parameters=ONE,
        signed=True,
        body=WebhookPatch,
        bodies={"some fields": examples.PATCH, "another URL": examples.PATCH_URL},
        response=WebhookOut,
        example=examples.WEBHOOK,
        errors=CHANGE,
    ),
    Operation(
        id="deleteWebhook",
        method="delete",
        path=WEBHOOK,
        tag=WEBHOOKS,
        summary="Delete a webhook with its credential.",
        parameters=ONE,
        signed=True,
        status=204,
        errors=(*SIGNED, 409),
    ),
    Operation(
        id="getWebhookSecret",
        method="get",
        path=f"{WEBHOOK}/secret",
        tag=WEBHOOKS,
        summary="Get a webhook's signing secret.",
        text="The `whsec_` secret of the `v1` signatures of its callbacks, as an envelope for the caller.",
        parameters=ONE,
        signed=True,
        response=SecretOut,
        example=examples.SECRET,
        errors=SIGNED,
    ),
    Operation(
        id="rotateWebhookSecret",
        method="post",
        path=f"{WEBHOOK}/secret/rotate",
        tag=WEBHOOKS,
        summary="Replace a webhook's signing secret.",
        text="The new `whsec_` secret, as an envelope for the caller, signs at once. The one that it "
        "replaces signs beside it for 24 hours: callbacks have a `v1` token of each, in any order, and "
        "verify with either. 409 where five replaced ones still sign. The exact repeat of a request gets "
        "the first response again while the webhook is as the request left it.",
        parameters=ONE,
        signed=True,
        response=SecretOut,
        example=examples.SECRET,
        errors=(*SIGNED, 409),
    ),
    Operation(
        id="publishEvent",
        method="put",
        path=f"{COMMUNITY}/event/{{eventName}}",
        tag=EVENTS,
        summary="Publish an event.",
        text="202 once the events queue has it. The event is of the community in the path, whatever its data "
        "says. The exact repeat of a request publishes the same event, which is delivered once. A body has "
        f"at most {limits.EVENT_BODY_BYTES} bytes, and the callback made of it at most {MAX_BODY_BYTES}.",
        parameters=(*SCOPED, "eventName"),
        signed=True,
        body=PublishIn,
        bodies={
            "plain": {"data": {"order": "4711", "amount": 19.9, "currency": "EUR"}},
            "as an envelope": {"data": examples.ENVELOPE, "eventId": "order-4711-paid"},
        },
        status=202,
        response=schemas.PublishedOut,
        example={"eventId": "order-4711-paid"},
        errors=WITH_BODY,
    ),
    Operation(
        id="fetchDeliveries",
        method="post",
        path=f"{WEBHOOK}/deliveries/fetch",
        tag=DELIVERIES,
        summary="Fetch a webhook's deliveries.",
        text="Newest first by the times of their events, a page at a time: the response's `cursor`, sent "
        "with the same filters, gets the next page, until there is none. A page that filters by `eventName`, "
        "or by `delivered` or `skipped`, looks at 1000 deliveries at most: it may have fewer than were asked "
        "for, and a cursor. The body may be left out.",
        parameters=ONE,
        signed=True,
        body=DeliveriesIn,
        bodies={"all": {}, "dead ones of a day": delivery_examples.DELIVERIES_IN},
        body_required=False,
        response=DeliveriesOut,
        example=delivery_examples.DELIVERIES,
        errors=WITH_BODY,
    ),
    Operation(
        id="fetchUndelivered",
        method="post",
        path=f"{COMMUNITY}/deliveries/fetch",
        tag=DELIVERIES,
        summary="Fetch a community's undelivered deliveries.",
        text="Those of all its webhooks that are retrying, dead or held, with pages as those of one webhook. "
        "Test deliveries are in the log of their webhook alone.",
        parameters=SCOPED,
        signed=True,
        body=UndeliveredIn,
        bodies={"all": {}, "dead ones of a day": delivery_examples.DELIVERIES_IN},
        body_required=False,
        response=DeliveriesOut,
        example=delivery_examples.DELIVERIES,
        errors=WITH_BODY,
    ),
    Operation(
        id="getDelivery",
        method="get",
        path=f"{COMMUNITY}/delivery/{{deliveryId}}",
        tag=DELIVERIES,
        summary="Get a delivery.",
        text="With the headers of each attempt, and with the callback's body where it is kept: while it is "
        "dead or held, or always where the deployment keeps all payloads.",
        parameters=(*SCOPED, "deliveryId"),
        signed=True,
        response=ShownDeliveryOut,
        example=delivery_examples.SHOWN_DELIVERY,
        errors=SIGNED,
    ),
    Operation(
        id="sendTestEvent",
        method="post",
        path=f"{WEBHOOK}/test",
        tag=WEBHOOKS,
        summary="Send a test event to a webhook.",
        text="One callback is sent at once, signed and authenticated as every other one; the response says "
        "how it went, also where it failed. The delivery log has it, with its mark `test`. It is not sent "
        "again, is never dead-lettered, and does not count for the endpoint's health. A paused webhook gets "
        "it too, a disabled one does not (409). A webhook gets one test a second, others a 429 with "
        "`Retry-After: 1`. The body may be left out.",
        parameters=ONE,
        signed=True,
        body=SendTestIn,
        bodies={"any event": {"data": {"test": True}}, "a named event": examples.SEND_TEST},
        body_required=False,
        response=SentTestOut,
        example=examples.SENT_TEST,
        errors=CHANGE,
    ),
    Operation(
        id="explainEvent",
        method="post",
        path=f"{COMMUNITY}/events/explain",
        tag=EVENTS,
        summary="Explain an event.",
        text="For each webhook that lists the event's name: whether it gets the event, and if not, why. The "
        "event is given whole, in one of its three formats, or by its id, name and time: then queries are "
        "not judged, and the delivery log alone says which webhooks got it. Webhooks are taken as they are "
        "now. A page looks at 25 listeners at most; disabled webhooks come last, and a page may have none of "
        "them and yet a cursor. Where no webhook listens, the response has names that others listen to.",
        parameters=SCOPED,
        signed=True,
        body=ExplainIn,
        bodies=event_examples.EXPLAIN,
        response=ExplanationOut,
        example=event_examples.EXPLANATION,
        errors=WITH_BODY,
    ),
    Operation(
        id="getServiceKeys",
        method="get",
        path="/servicekeys",
        tag=KEYS,
        summary="Get the service's key pairs.",
        text="The newest pair of each tag. The license must be of auth level system, for every tenant and "
        "community, and one of this deployment's own: its operator issues it.",
        signed=True,
        response={"type": "array", "items": {"$ref": "#/components/schemas/ServiceKeyOut"}},
        example=examples.SERVICE_KEYS,
        errors=SIGNED,
    ),
    Operation(
        id="resetServiceKey",
        method="delete",
        path="/servicekey/{keyId}",
        tag=KEYS,
        summary="Replace a key pair of the service.",
        text="Returns the new pair, which is in use (`/publickeys`) in six minutes. From then on the old key "
        "has its grace, a day by default, however many resets follow: its envelopes are read, and callbacks "
        "carry a signature of each key. 409 where ten keys count. The license is as for `/servicekeys`.",
        parameters=("keyId",),
        signed=True,
        response={"type": "array", "items": {"$ref": "#/components/schemas/ServiceKeyOut"}},
        example=examples.SERVICE_KEYS,
        errors=(*SIGNED, 409),
    ),
    Operation(
        id="convert",
        method="post",
        path="/ecdsa_helper/{method}",
        tag=ECDSA,
        summary="Encrypt or decrypt a text by a public and a private key.",
        text="For trying the protocol out. Nothing is stored.",
        parameters=("method",),
        body=EcdsaIn,
        bodies={"encrypt": examples.ECDSA_IN},
        response=schemas.EcdsaOut,
        example=examples.ECDSA_OUT,
        errors=(400, *ANY_CALL, 413, 415),
    ),
    Operation(
        id="encrypt",
        method="post",
        path="/ecdsa_helper",
        tag=ECDSA,
        summary="Encrypt a text by a public and a private key.",
        body=EcdsaIn,
        bodies={"encrypt": examples.ECDSA_IN},
        response=schemas.EcdsaOut,
        example=examples.ECDSA_OUT,
        errors=(400, *ANY_CALL, 413, 415),
    ),
    _open(
        "getEnvironment",
        "/environment",
        "Environment",
        "Get the deployment's environment.",
        response=schemas.EnvironmentOut,
        example={
            "allowed_time_span": 120,
            "EC_CURVE_NAME": "secp256k1",
            "region": "us-east-1",
            "stage": "prod",
            "version": examples.VERSION,
            "limits": {**limits.SHOWN, "webhooksPerCommunity": 1000},
        },
    ),
    _open(
        "getHealth",
        "/healthz",
        "Healthz",
        "Get the health of the services behind the API.",
        text="A result is cached for 5 seconds.",
        response=schemas.HealthOut,
        example=examples.HEALTH,
    ),
    _open(
        "getPublicKey",
        "/publickeys",
        "Public Key",
        "Get the service's public key.",
        response=schemas.PublicKeyOut,
        example={"publicKey": examples.PUBLIC_KEY},
    ),
    _open(
        "getServiceDirectory",
        "/sd",
        "Service Directory",
        "Get all service directories.",
        response={"type": "object", "additionalProperties": {"type": "string"}, "required": ["webhooks"]},
        example=examples.SERVICE_DIRECTORY,
    ),
    _open(
        "getWellKnown",
        "/.well-known",
        "Well Known config",
        "Get the well-known config.",
        response=schemas.WellKnownOut,
        example={"public_key": examples.PUBLIC_KEY},
    ),
    _open(
        "getJwks",
        "/.well-known/jwks.json",
        "Well Known config",
        "Get the keys of callbacks' RFC 9421 signatures.",
        response=schemas.JwksOut,
        example=examples.JWKS,
    ),
    _open("getOpenApi", "/openapi.json", "Documentation", "Get this document.", response={"type": "object"}),
    _open("getConsole", "/console", "Documentation", "Open the console.", response="text/html"),
    _open("getDocs", "/docs", "Documentation", "Read this document as a page.", response="text/html"),
)
