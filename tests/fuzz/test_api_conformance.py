"""The functions keep to their document: schemathesis, over the service in memory."""

from functools import cache
from typing import Any
from urllib.parse import parse_qsl
from wsgiref.types import StartResponse

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import checks

from tests.factories import SYSTEM, InMemoryApp, api_event, webhook_body

# Not `positive_data_acceptance`: the rules of a URL, a key or a credential are more than a schema can say.
checks.load_all_checks()
CHECKS: list[Any] = checks.CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
        "negative_data_rejection",
        "missing_required_header",
        "unsupported_method",
    ]
)


@cache
def app() -> InMemoryApp:
    service = InMemoryApp()
    service.create(**webhook_body())
    return service


def application(environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
    """Hand a WSGI request over as the gateway does; all three headers together are valid ones."""
    headers = {
        name[5:].replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    if "CONTENT_TYPE" in environ:
        headers["content-type"] = environ["CONTENT_TYPE"]
    if headers.keys() >= {"licensekey", "requestid", "publickey"}:
        headers |= SYSTEM.headers(app().public_key)
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    # The document's server is relative: the client leaves it before the path.
    path = "/" + environ["PATH_INFO"].encode("latin-1").decode(errors="replace").removeprefix("./").lstrip(
        "/"
    )
    query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    event = api_event(environ["REQUEST_METHOD"], path, headers=headers, body=body or None, query=query)
    response = app().send(event)
    start_response(f"{response.status} -", list(response.headers.items()))
    return [response.text.encode()]


schema = schemathesis.openapi.from_wsgi("/openapi.json", application)


@schema.parametrize()
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_functions_conform_to_the_document(case: schemathesis.Case[Any]) -> None:
    case.call_and_validate(checks=CHECKS)
