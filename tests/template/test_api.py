"""The API: every path with every method to the function that owns it, and errors in one envelope."""

import json
from typing import Any

import pytest

from tests.template.template import Template, listed, referred
from webhooks.entrypoints.api import limits

METHODS = {"get", "put", "post", "patch", "delete", "head", "options"}
COMMUNITY = "/tenant/{tenantId}/community/{communityId}"
OWNERS = {
    f"{COMMUNITY}/webhooks/fetch": "WebhooksFunction",
    f"{COMMUNITY}/webhook": "WebhooksFunction",
    f"{COMMUNITY}/webhook/{{webhookId}}": "WebhooksFunction",
    f"{COMMUNITY}/webhook/{{webhookId}}/secret": "WebhooksFunction",
    f"{COMMUNITY}/webhook/{{webhookId}}/secret/rotate": "WebhooksFunction",
    f"{COMMUNITY}/webhook/{{webhookId}}/test": "TestEventFunction",
    f"{COMMUNITY}/webhook/{{webhookId}}/deliveries/fetch": "DeliveriesFunction",
    f"{COMMUNITY}/webhook/{{webhookId}}/series": "DeliveriesFunction",
    f"{COMMUNITY}/webhooks/health": "DeliveriesFunction",
    f"{COMMUNITY}/health": "DeliveriesFunction",
    f"{COMMUNITY}/deliveries/fetch": "DeliveriesFunction",
    f"{COMMUNITY}/deliveries/replay": "DeliveriesFunction",
    f"{COMMUNITY}/delivery/{{deliveryId}}": "DeliveriesFunction",
    f"{COMMUNITY}/events/explain": "DeliveriesFunction",
    f"{COMMUNITY}/replays": "DeliveriesFunction",
    f"{COMMUNITY}/replay/{{replayId}}": "DeliveriesFunction",
    f"{COMMUNITY}/event/{{eventName+}}": "EventsFunction",
    "/communities": "DeliveriesFunction",
    "/servicekeys": "ServiceKeysFunction",
    "/servicekey/{keyId+}": "ServiceKeysFunction",
    "/ecdsa_helper": "EcdsaHelperFunction",
    "/ecdsa_helper/{method}": "EcdsaHelperFunction",
    "/environment": "DiscoveryFunction",
    "/healthz": "DiscoveryFunction",
    "/publickeys": "DiscoveryFunction",
    "/sd": "DiscoveryFunction",
    "/.well-known": "DiscoveryFunction",
    "/.well-known/jwks.json": "DiscoveryFunction",
    "/openapi.json": "DiscoveryFunction",
    "/console": "ConsoleFunction",
    "/docs": "ConsoleFunction",
    "/": "DiscoveryFunction",
    "/{proxy+}": "DiscoveryFunction",
}
RESPONSE_TYPES = {
    "ACCESS_DENIED", "API_CONFIGURATION_ERROR", "AUTHORIZER_CONFIGURATION_ERROR", "AUTHORIZER_FAILURE",
    "BAD_REQUEST_BODY", "BAD_REQUEST_PARAMETERS", "DEFAULT_4XX", "DEFAULT_5XX", "EXPIRED_TOKEN",
    "INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT", "INVALID_API_KEY", "INVALID_SIGNATURE",
    "MISSING_AUTHENTICATION_TOKEN", "QUOTA_EXCEEDED", "REQUEST_TOO_LARGE", "RESOURCE_NOT_FOUND", "THROTTLED",
    "UNAUTHORIZED", "UNSUPPORTED_MEDIA_TYPE", "WAF_FILTERED",
}  # fmt: skip


@pytest.fixture
def body(template: Template) -> dict[str, Any]:
    (api,) = template.resources("AWS::ApiGateway::RestApi").values()
    document: dict[str, Any] = api["Body"]
    return document


def test_the_paths_are_exactly_the_known_ones(body: dict[str, Any]) -> None:
    assert body["paths"].keys() == OWNERS.keys()


@pytest.mark.parametrize(("path", "owner"), OWNERS.items())
def test_a_path_goes_to_the_alias_of_its_function_with_every_method(
    body: dict[str, Any], path: str, owner: str
) -> None:
    methods = body["paths"][path]
    assert methods.keys() == METHODS
    for operation in methods.values():
        integration = operation["x-amazon-apigateway-integration"]
        assert integration["type"] == "aws_proxy"
        assert integration["httpMethod"] == "POST"
        assert f"${{{owner}Aliaslive}}" in integration["uri"]["Fn::Sub"]


def test_one_permission_lets_the_api_call_each_function(template: Template) -> None:
    called = [
        referred(permission["FunctionName"])
        for permission in template.resources("AWS::Lambda::Permission").values()
        if permission["Principal"] == "apigateway.amazonaws.com"
    ]
    assert sorted(called) == sorted({f"{owner}Aliaslive" for owner in OWNERS.values()})


def test_every_gateway_response_is_customized(body: dict[str, Any]) -> None:
    assert body["x-amazon-apigateway-gateway-responses"].keys() == RESPONSE_TYPES


@pytest.mark.parametrize("kind", sorted(RESPONSE_TYPES))
def test_gateway_responses_have_the_error_body_and_the_request_id(body: dict[str, Any], kind: str) -> None:
    response = body["x-amazon-apigateway-gateway-responses"][kind]
    text = response["responseTemplates"]["application/json"]
    envelope = json.loads(text.replace("$context.error.messageString", '"the message"'))
    assert envelope.keys() == {"statusCode", "error", "message"}
    if kind.startswith("DEFAULT_"):  # a status of theirs would replace that of every error that is not listed
        assert "statusCode" not in response
    else:
        assert str(envelope["statusCode"]) == str(response["statusCode"])
    parameters = response["responseParameters"]
    assert parameters["gatewayresponse.header.x-request-id"] == "context.requestId"


def test_an_unknown_path_is_a_404_and_a_429_has_retry_after(body: dict[str, Any]) -> None:
    responses = body["x-amazon-apigateway-gateway-responses"]
    assert responses["MISSING_AUTHENTICATION_TOKEN"]["statusCode"] == "404"
    assert responses["REQUEST_TOO_LARGE"]["statusCode"] == "413"
    assert responses["THROTTLED"]["statusCode"] == "429"
    assert responses["THROTTLED"]["responseParameters"]["gatewayresponse.header.Retry-After"] == "'1'"


def test_the_stage_is_traced_throttled_and_logs_no_header_and_no_body(template: Template) -> None:
    (stage,) = template.resources("AWS::ApiGateway::Stage").values()
    assert stage["TracingEnabled"] is True
    (settings,) = stage["MethodSettings"]
    assert settings["ThrottlingRateLimit"] == {"Ref": "ThrottlingRate"}
    assert settings["ThrottlingBurstLimit"] == {"Ref": "ThrottlingBurst"}
    assert "DataTraceEnabled" not in settings
    line = stage["AccessLogSetting"]["Format"]
    assert "header" not in line.lower()
    assert "requestOverride" not in line
    json.loads(line.replace("$context.requestTimeEpoch", "1"))


def test_the_api_takes_tls_1_2_and_newer_only(template: Template) -> None:
    (api,) = template.resources("AWS::ApiGateway::RestApi").values()
    assert api["SecurityPolicy"] == "SecurityPolicy_TLS13_1_2_2021_06"
    assert api["EndpointAccessMode"] == "STRICT"  # API Gateway wants one beside such a policy


def test_the_api_compresses_responses_from_a_kilobyte_on(template: Template) -> None:
    """The pages and the OpenAPI document. API Gateway does it where a client accepts gzip."""
    (api,) = template.resources("AWS::ApiGateway::RestApi").values()
    assert api["MinimumCompressionSize"] == 1024


def test_the_access_log_has_the_client_and_the_integration_error(
    template: Template,
) -> None:
    (stage,) = template.resources("AWS::ApiGateway::Stage").values()
    line = json.loads(stage["AccessLogSetting"]["Format"].replace("$context.requestTimeEpoch", "1"))
    assert (
        line.items()
        >= {
            "domain": "$context.domainName",
            "userAgent": "$context.identity.userAgent",
            "tlsVersion": "$context.tlsVersion",
            "cipherSuite": "$context.cipherSuite",
            "integrationStatus": "$context.integration.status",
            "integrationError": "$context.integration.error",
        }.items()
    )


def test_the_response_to_a_large_request_names_the_limit(body: dict[str, Any]) -> None:
    text = body["x-amazon-apigateway-gateway-responses"]["REQUEST_TOO_LARGE"]["responseTemplates"]
    assert str(limits.BODY_BYTES) in json.loads(text["application/json"])["message"]


def test_the_account_has_a_role_for_access_logs_before_the_stage(template: Template) -> None:
    """And some resource of API Gateway before that, which an account without any needs."""
    assert "ApiGatewayAccount" in listed(template.attributes("Api")["DependsOn"])
    (first,) = listed(template.attributes("ApiGatewayAccount")["DependsOn"])
    assert template.resources("AWS::ApiGateway::ApiKey")[first]["Enabled"] is False
    conditions = {template.attributes(name)["Condition"] for name in ("ApiGatewayAccount", first)}
    assert conditions == {"CreatesApiGatewayLogsRole"}
