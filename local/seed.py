"""Issues licenses and registers the demo's webhooks in a local stack; existing ones stay."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from local.command import webhooks
from local.stack_file import COMMUNITY_ID, TENANT_ID

LEVELS = ("system", "service", "service_ext")
TAG = "demo"
# One webhook for each sample under events/, each with another way to authenticate at its endpoint.
WEBHOOKS: dict[str, dict[str, Any]] = {
    "orders": {"eventNames": ["order.paid"], "api": {"authType": "none"}},
    "logins": {
        "eventNames": ["E_LOGIN_SUCCEEDED", "E_LOGIN_FAILED"],
        "api": {"authType": "bearer", "credential": {"token": "a-demo-token"}},
    },
    "invoices": {
        "eventNames": ["invoice.issued"],
        "query": [{"currency": "EUR"}],
        "api": {"authType": "basic", "credential": {"username": "demo", "password": "a-demo-password"}},
    },
}


def licenses(folder: Path, known: dict[str, str]) -> dict[str, str]:
    """Return a license key for each auth level: a known one that the stack still has, else a new one."""
    issued = {each["hash"] for each in webhooks("license", "list", folder=folder) if not each["disabled"]}
    keys = {}
    for level in LEVELS:
        key = known.get(level, "")
        if sha256(key.encode()).hexdigest() not in issued:
            scope = () if level == "system" else ("--tenant", TENANT_ID, "--community", COMMUNITY_ID)
            arguments = ("license", "issue", "--level", level, "--label", f"local {level}", *scope)
            key = webhooks(*arguments, folder=folder)["license"]
        keys[level] = key
    return keys


def webhooks_at(receiver_url: str, wanted: dict[str, dict[str, Any]], folder: Path) -> dict[str, str]:
    """Register webhooks at the receiver, by name; return endpoint URL -> whsec_ secret."""
    fetched = webhooks(
        "call", "POST", "webhooks/fetch", "-d", json.dumps({"tags": [TAG], "pSize": 100}), folder=folder
    )
    present = {each["name"]: each for each in fetched["data"]}
    secrets = {}
    for name, each in wanted.items():
        body = body_of(name, each, receiver_url)
        url = body["api"]["url"]
        if name in present:
            secrets[url] = _existing(folder, present[name], url)
            continue
        made = webhooks("call", "PUT", "webhook", "--decrypt", "-d", json.dumps(body), folder=folder)
        secrets[url] = made["signingSecret"]
    return secrets


def body_of(name: str, wanted: dict[str, Any], receiver_url: str) -> dict[str, Any]:
    """Return the body that registers a webhook."""
    endpoint = {"authType": "none", **wanted.get("api", {})}
    endpoint["url"] = f"{receiver_url}/{wanted.get('path', f'hooks/{name}')}"
    if "oAuthTokenUrl" in endpoint:
        endpoint["oAuthTokenUrl"] = f"{receiver_url}{endpoint['oAuthTokenUrl']}"
    settings = {key: value for key, value in wanted.items() if key != "path"}
    fixed = {"name": name, "tags": [TAG], "successCodes": [200], "retryCount": 2}
    return {**fixed, **settings, "api": endpoint}


def _existing(folder: Path, webhook: dict[str, Any], url: str) -> str:
    path = f"webhook/{webhook['_id']}"
    if urlsplit(webhook["api"]["url"]).netloc != urlsplit(url).netloc:  # the receiver has another port now
        changed = {"url": url}
        if token_url := webhook["api"].get("oAuthTokenUrl"):
            changed["oAuthTokenUrl"] = urlsplit(token_url)._replace(netloc=urlsplit(url).netloc).geturl()
        webhooks("call", "PATCH", path, "-d", json.dumps({"api": changed}), folder=folder)
    response = webhooks("call", "GET", f"{path}/secret", "--decrypt", folder=folder)
    return str(response["signingSecret"])
