"""Descriptions of the request fields, for the document alone."""

from collections.abc import Mapping

from webhooks.domain.text import TEXT_RULE
from webhooks.domain.webhook import EVENT_NAME_RULE
from webhooks.entrypoints.api import limits

FILTERS = "docs/filters.md"

_WEBHOOK = {
    "eventNames": f"Names of the events that the webhook gets, each {EVENT_NAME_RULE}.",
    "eventName": "Another name for eventNames, for older clients; one name or several.",
    "name": f"Name of the webhook, for people: text with {TEXT_RULE}.",
    "disabled": "true: the webhook gets no events. false is the default.",
    "createdBy": f"Author of the webhook: text with {TEXT_RULE}. Default: the `appid` of the requestid.",
    "tags": "Words to fetch webhooks by; equal ones count once.",
    "query": "Conditions on the data of those events: a list of objects, each of fields and the values that "
    "they have there. A dot leads into objects and through arrays (`commits.title`), a "
    "number to one element (`labels.0.title`). Values are equal as JSON values, numbers as decimals; where "
    f"the data has an array, one equal element is enough. At most {limits.QUERY_NODES} objects, arrays and "
    f"values in all, and {limits.QUERY_BYTES} bytes. No query: every event. {FILTERS} has examples.",
    "criteria": "ANY, the default: one object of the query must hold. ALL: every object must.",
    "api": "The endpoint to call.",
    "successCodes": "Statuses that mean success: the endpoint took the event.",
    "retryCodes": "Statuses after which the event is sent again; 0 stands for no HTTP response. Default: 0, "
    "408, 425, 429 and every 5xx but 501 and 505.",
    "retryCount": "The most times that an event is sent again; 0 is the default.",
    "ttl": "Seconds that the endpoint has to answer; 0, the default, is the deployment's own value.",
    "paused": "true: deliveries are held, and sent when the webhook is resumed (false). false is the "
    "default. A response shows it only where it is true.",
    "rateLimit": f"Deliveries per second at most, 1 to {limits.RATE_LIMIT}; no limit is the default. A "
    "response shows it only where it is set.",
    "recover": "true: deliveries whose attempts were exhausted are sent once more when the endpoint responds "
    "again; false: never. The deployment decides by default. A response shows it only where it is set.",
}
_API = {
    "url": "The URL to call, used exactly as given; https, unless the deployment allows http. It has no user "
    "info and no fragment.",
    "type": "The method of a callback; POST is the default.",
    "authType": "How a callback authenticates to the endpoint; none is the default.",
    "oAuthGrantType": "For authType oauth2.",
    "oAuthTokenUrl": "Where access tokens come from, for authType oauth2.",
    "oAuthScopes": "Scopes to ask for, for authType oauth2.",
    "credential": "The values that authType needs. A change that does not give it leaves the stored one.",
}
_DELIVERIES = {
    "eventName": "Only deliveries of events with this name.",
    "since": "Only deliveries of events from this time on: RFC 3339, or epoch seconds or milliseconds.",
    "until": "Only deliveries of events up to this time, which is included.",
    "cursor": "The cursor of the page before, with the same filters; none asks for the first page.",
    "size": f"The number of deliveries of a page; {limits.PAGE_SIZE_DEFAULT} is the default.",
}
_TEXT = f"Text with {TEXT_RULE}."
_HEADER = "Printable ASCII with no space at either end, and not empty."

INPUTS: Mapping[str, Mapping[str, str]] = {
    "WebhookIn": _WEBHOOK,
    "WebhookPatch": _WEBHOOK,
    "ApiIn": _API,
    "ApiPatch": _API,
    "CredentialIn": {
        "username": f"For authType basic. {_TEXT} May be empty; has no ':'.",
        "password": f"For authType basic. {_TEXT} May be empty.",
        "keyName": "For authType api_key: the header's name. Not one that the service sets itself.",
        "keyValue": f"For authType api_key: the header's value. {_HEADER}",
        "token": f"For authType bearer. {_HEADER}",
        "oauth2": "For authType oauth2: the client.",
    },
    "OAuth2In": {
        "clientId": f"The client's id. {_TEXT} Not empty.",
        "clientSecret": f"The client's secret. {_TEXT} Not empty.",
    },
    "FetchIn": {
        "pIndex": "The page's number, from 0, which is the default.",
        "pSize": f"The number of webhooks of a page; {limits.PAGE_SIZE_DEFAULT} is the default.",
        "tags": "Only webhooks that have one of these tags.",
        "state": "Only webhooks that are in this state, whatever else they are in. Those that an earlier "
        "release disabled are found from their next change on.",
        "name": "Only webhooks whose names begin so, upper and lower case apart. With state or name at most "
        "the newest 2000 webhooks, or those of the tags, are looked at.",
    },
    "WebhooksHealthIn": {
        "webhookIds": f"Ids of 1 to {limits.HEALTH_WEBHOOKS} webhooks; equal ones count once.",
    },
    "DeliveriesIn": {"outcome": "Only deliveries that stand there; all are the default.", **_DELIVERIES},
    "UndeliveredIn": {
        "outcome": "Only those that stand there; all three are the default.",
        **_DELIVERIES,
    },
    "ExplainIn": {
        "event": "The event whole, in any of its three formats, of the path's tenant and community.",
        "eventId": "Its id, where it is not given whole.",
        "eventName": "Its name, where it is not given whole.",
        "occurredAt": "Its time, where it is not given whole and has one.",
        "cursor": "The cursor of the page before, with the same event.",
    },
    "PublishIn": {
        "data": "The event's data: a JSON object, or its JSON text as an envelope, encrypted with the key of "
        "the request's headers. The callback has a copy of it, to the last digit of its numbers.",
        "eventId": "The event's id. Default: `event_id` of the data; without one, an id that follows from "
        "the request, so that an exact repeat is the same event.",
        "occurredAt": "The event's time, as RFC 3339 and ISO 8601 write it, or epoch seconds or "
        "milliseconds. Default: `event_ts` of the data; without one, `ts` of the requestid.",
    },
    "ReplayIn": {
        "deliveryIds": "The deliveries to send again; then no filter may be given.",
        "webhookId": "The webhook whose deliveries are sent again; required without deliveryIds.",
        "outcome": "Only deliveries that stand there; required without deliveryIds. Payloads of `delivered` "
        "and `skipped` ones are kept only where the deployment keeps all.",
        "eventName": "Only those of events of this name.",
        "since": "Only those of events from this time on.",
        "until": "Only those of events up to this time.",
        "dryRun": "true: they are counted, and nothing is sent.",
        "rate": "Deliveries per second; 10 is the default.",
    },
    "SendTestIn": {
        "eventName": "The event's name, one of the webhook's own; its first is the default.",
        "data": 'The event\'s data, an object; `{"test": true}` is the default.',
    },
    "EcdsaIn": {
        "data": "The text to encrypt, or the envelope to decrypt; the empty text is the default.",
        "dataStr": "Another name for data.",
        "publicKey": "The other side's public key: base64 of X||Y, 64 bytes.",
        "privateKey": "Your private key: base64 of the big-endian number, 32 bytes. Never a production key.",
    },
}
