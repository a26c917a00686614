"""What anyone may ask: keys, health, environment, service directory, the document and its page."""

import hashlib
import json
import re
import threading
from base64 import b64encode

import pytest

from tests.factories import SYSTEM, World, api_event, function
from webhooks.domain.errors import UnavailableError
from webhooks.entrypoints.api.discovery_responses import UNBUILT, read_version

OPEN = [
    "/healthz",
    "/environment",
    "/publickeys",
    "/.well-known",
    "/.well-known/jwks.json",
    "/sd",
    "/openapi.json",
]


@pytest.fixture
def world():
    return World()


def get(world, path, **headers):
    return world.call("GET", path, by=None, headers=headers)


@pytest.mark.parametrize("path", [*OPEN, "/docs"])
def test_authentication_headers_play_no_part(world, path):
    for headers in (
        {},
        {"licensekey": "x"},
        {"license": "x", "keyId": "y"},
        SYSTEM.headers(world.public_key),
    ):
        assert get(world, path, **headers).status == 200


def test_the_public_key_is_the_same_everywhere(world):
    key = world.keys.read_now().current.public_key.to_wire()
    assert get(world, "/publickeys").json == {"publicKey": key}
    assert get(world, "/.well-known").json == {"public_key": key}
    assert get(world, "/healthz").json["publicKey"] == key
    assert get(world, "/publickeys").headers["cache-control"] == "public, max-age=30"


def test_all_is_well(world):
    answer = get(world, "/healthz")
    assert answer.status == 200
    assert answer.json == {
        "status": "all services operational",
        "publicKey": world.public_key,
        "code": "200",
        "version": UNBUILT,
    }
    assert answer.headers["cache-control"] == "no-store"


def fail():
    raise UnavailableError("sqs GetQueueAttributes: Throttling")


def test_what_does_not_answer_is_named(world):
    world.probes |= {"sqs": fail, "secrets manager": fail}
    answer = get(world, "/healthz")
    assert answer.status == 503
    assert (answer.json["status"], answer.json["code"]) == ("unavailable: sqs, secrets manager", "503")
    assert answer.headers["retry-after"] == "5"


def test_what_answers_too_late_does_not_answer(world):
    released = threading.Event()
    world.probes["dynamodb"] = lambda: released.wait(30)
    answer = get(world, "/healthz")
    released.set()
    assert answer.json["status"] == "unavailable: dynamodb"


def test_a_result_is_kept_for_five_seconds(world):
    asked = []
    world.probes["sqs"] = lambda: asked.append(1)
    for moment in (0, 4, 5, 9.9, 10):
        world.clock.now = 1_790_000_000 + moment
        get(world, "/healthz")
    assert len(asked) == 3


def test_health_is_answered_where_the_key_cannot_be_read(world):
    def cannot():
        raise UnavailableError("secretsmanager GetSecretValue: Throttling")

    world.keys.read = cannot
    assert get(world, "/healthz").json["publicKey"] == ""
    assert get(world, "/publickeys").status == 503


def test_the_environment_says_what_requests_may_hold(world):
    answer = get(world, "/environment").json
    assert answer | {"limits": {}} == {
        "allowed_time_span": 120,
        "EC_CURVE_NAME": "secp256k1",
        "region": "us-east-1",
        "stage": "prod",
        "version": UNBUILT,
        "limits": {},
    }
    assert answer["limits"]["bodyBytes"] == 65536
    assert answer["limits"]["eventNames"] == 50


@pytest.mark.parametrize(
    ("event", "url"),
    [
        (
            {"headers": {"Host": "abc.execute-api.us-east-1.amazonaws.com"},
             "context": {"domainName": "abc.execute-api.us-east-1.amazonaws.com", "path": "/prod/sd"}},
            "https://abc.execute-api.us-east-1.amazonaws.com/prod",
        ),
        ({"context": {"domainName": "api.example.com", "path": "/sd"}}, "https://api.example.com"),
        (
            {"headers": {"host": "127.0.0.1:4566"}, "context": {"domainName": None, "path": "/prod/sd"}},
            "http://127.0.0.1:4566/_aws/execute-api/abc123/prod",
        ),
        (
            {"headers": {"host": "abc123.execute-api.localhost:4566"}, "context": {"domainName": None}},
            "http://abc123.execute-api.localhost:4566/prod",
        ),
    ],
)  # fmt: skip
def test_the_service_directory_has_this_deployment_as_the_caller_sees_it(world, event, url):
    answer = world.send(api_event("GET", "/sd", **event))
    assert answer.json == {"licenses": "https://licenses.example.com", "webhooks": url}


def test_the_document_is_served_as_it_is_written(world):
    written = (world.apis["discovery"], function("discovery").HERE / "openapi.json")[1].read_text()
    answer = get(world, "/openapi.json")
    assert answer.text == written
    assert answer.headers["content-type"] == "application/json"


def test_the_page_has_everything_in_it_and_its_policy_lets_nothing_else_in(world):
    answer = get(world, "/docs")
    policy = answer.headers["content-security-policy"]
    assert answer.headers["content-type"] == "text/html"
    assert len(answer.text.encode()) < 4 * 1024 * 1024
    assert not re.search(r"<(?:script|link|img|iframe)[^>]*\s(?:src|href)=", answer.text.split("<script>")[0])
    scripts = re.findall(r"<script>(.*?)</script>", answer.text, re.DOTALL)
    assert len(scripts) == 2
    for script in scripts:
        assert f"'sha256-{b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" in policy
    assert "default-src 'none'" in policy
    assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]
    document = json.loads(re.search(r"spec: (\{.*\n\}\n), deepLinking", scripts[1], re.DOTALL)[1])
    assert document == get(world, "/openapi.json").json


def test_the_version_is_what_the_build_wrote(tmp_path):
    assert read_version(tmp_path) == UNBUILT
    (tmp_path / "version.json").write_text('{"version": "v1.abc.1790000000"}')
    assert read_version(tmp_path) == "v1.abc.1790000000"
