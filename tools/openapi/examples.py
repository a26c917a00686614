"""Example requests and responses of the document; every key and envelope in them is made up."""

from typing import Any

# The curve's base point, a valid key for tools that send the examples; its private key is 1.
PUBLIC_KEY = "eb5mfvncu6xVoGKVzocLBwKb/NstzijZWfKBWxb4F5hIOtp3JqPEZV2k+/wOEQio/Re0SKaFVBmcR9CP+xDUuA=="
ENVELOPE = "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4mrze8BI0VniavN7wEjRWeJ"
WEBHOOK_ID = "6923a9e2000000000000001f"

CREATE_SMALL: dict[str, Any] = {
    "eventNames": ["order.paid"],
    "name": "orders",
    "api": {"url": "https://example.com/webhooks"},
    "successCodes": [200],
}
CREATE: dict[str, Any] = {
    "eventNames": ["E_IDV_DOCUMENT_VALIDATE"],
    "name": "document validation",
    "disabled": False,
    "createdBy": "operations",
    "tags": ["log_stream"],
    "query": [{"document.type": "passport"}],
    "criteria": "ANY",
    "api": {
        "type": "POST",
        "url": "https://hooks.example.com/webhooks",
        "authType": "basic",
        "credential": {"username": "webhooks", "password": "correct horse battery staple"},
    },
    "successCodes": [200, 204],
    "retryCodes": [0, 429, 503],
    "retryCount": 2,
    "ttl": 5,
}
CREATE_OAUTH2: dict[str, Any] = {
    "eventNames": ["E_LOGIN_SUCCEEDED", "E_LOGIN_FAILED"],
    "name": "logins",
    "api": {
        "url": "https://hooks.example.com/logins",
        "authType": "oauth2",
        "oAuthGrantType": "client_credentials",
        "oAuthTokenUrl": "https://login.example.com/oauth2/token",
        "oAuthScopes": ["webhooks:write"],
        "credential": {"oauth2": {"clientId": "webhooks", "clientSecret": "correct horse"}},
    },
    "successCodes": [200],
}
PATCH: dict[str, Any] = {"name": "orders, both shops", "retryCount": 1}
PATCH_URL: dict[str, Any] = {"api": {"url": "https://example.com/v2"}, "disabled": True}
WEBHOOK: dict[str, Any] = {
    "_id": WEBHOOK_ID,
    "tenantId": "acme",
    "communityId": "default",
    **CREATE,
    "api": {
        **CREATE["api"],
        "credential": {"username": ENVELOPE, "password": ENVELOPE},
    },
}
CREATED = {**WEBHOOK, "signingSecret": ENVELOPE}
PAGE = {"page": {"index": 0, "total": 1, "size": 25}, "data": [WEBHOOK], "publicKey": PUBLIC_KEY}
SECRET = {"signingSecret": ENVELOPE, "publicKey": PUBLIC_KEY}
SEND_TEST: dict[str, Any] = {"eventName": "E_IDV_DOCUMENT_VALIDATE", "data": {"test": True}}
SENT_TEST: dict[str, Any] = {
    "deliveryId": f"{WEBHOOK_ID}-019bc0fa1e10-6f1ed002ab5595859014ebf0951522d9",
    "outcome": "failed",
    "status": 404,
    "reason": "the endpoint responded with HTTP 404, and the webhook's success codes are 200, 204",
    "latencyMs": 87,
    "times": {"lookupMs": 3, "connectMs": 21, "tlsMs": 46, "firstByteMs": 86, "totalMs": 86},
    "address": "192.0.2.10",
    "request": {
        "method": "POST",
        "url": "https://hooks.example.com/webhooks",
        "headers": {"Content-Type": "application/json", "Authorization": "Basic [redacted]"},
        "body": '{"id":"test-000102030405060708090a0b","type":"E_IDV_DOCUMENT_VALIDATE",'
        '"timestamp":"2026-01-15T09:30:00.400Z","tenantId":"acme","communityId":"default",'
        '"data":{"test":true}}',
    },
    "response": {"status": 404, "excerpt": "no such hook"},
}
SERVICE_KEYS = [{"tag": "service", "keyId": PUBLIC_KEY, "keySecret": ENVELOPE, "type": "ecdsa"}]
ECDSA_IN = {
    "data": "Hey, This is example data string.",
    "publicKey": PUBLIC_KEY,
    "privateKey": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=",
}
ECDSA_OUT = {"data": ENVELOPE, "publicKey": PUBLIC_KEY}
VERSION = "v1.0.0.0a1b2c3.1790000000"
HEALTH = {
    "status": "all services operational",
    "publicKey": PUBLIC_KEY,
    "code": "200",
    "version": VERSION,
}
UNHEALTHY = {**HEALTH, "status": "unavailable: sqs", "code": "503"}
JWKS = {
    "keys": [
        {
            "kty": "EC",
            "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
            "kid": "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U",
            "use": "sig",
            "alg": "ES256",
        }
    ]
}
SERVICE_DIRECTORY = {
    "licenses": "https://licenses.example.com",
    "webhooks": "https://api.example.com/prod",
}
