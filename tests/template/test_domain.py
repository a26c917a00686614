"""An own domain by parameter: with the API's TLS policy, paths without a stage, and a DNS record where wanted."""

from typing import Any

import pytest

from tests.template.template import Template, referred, resolve

DOMAIN = {"DomainName": "hooks.example.com", "CertificateArn": "arn:aws:acm:eu-west-1:1:certificate/a"}
ZONE = {"HostedZoneId": "Z0123456789ABCDEFGHIJ"}
OF_DOMAIN = {"Domain", "DomainMapping"}


def of_domain(template: Template) -> set[str]:
    return {each for each in template.document["Resources"] if each.startswith("Domain")}


def holds(condition: Any, values: dict[str, str]) -> bool:
    match condition:
        case {"Fn::Not": [inner]}:
            return not holds(inner, values)
        case {"Fn::Equals": [left, right]}:
            return bool(resolve(left, values) == resolve(right, values))
    raise AssertionError(condition)


def test_by_default_there_is_no_domain(template: Template) -> None:
    by_default = template.by_default
    assert of_domain(by_default) == set()
    assert not {"DomainTarget", "DomainTargetZone"} & by_default.document["Outputs"].keys()


@pytest.mark.parametrize(("values", "expected"), [(DOMAIN, set()), (DOMAIN | ZONE, {"DomainRecord"})])
def test_the_record_is_made_where_the_zone_is_given(
    template: Template, values: dict[str, str], expected: set[str]
) -> None:
    assert of_domain(template.decided(values)) == OF_DOMAIN | expected


def test_the_domain_takes_tls_1_2_and_newer_only(template: Template) -> None:
    whole = template.decided(DOMAIN)
    [domain] = whole.resources("AWS::ApiGateway::DomainName").values()
    [api] = whole.resources("AWS::ApiGateway::RestApi").values()
    for name in ("SecurityPolicy", "EndpointAccessMode"):
        assert domain[name] == api[name]
    assert domain["EndpointConfiguration"] == {"Types": ["REGIONAL"]}


def test_paths_begin_right_after_the_domain(template: Template) -> None:
    [mapping] = template.decided(DOMAIN).resources("AWS::ApiGateway::BasePathMapping").values()
    assert "BasePath" not in mapping
    assert referred(mapping["RestApiId"]) == "Api"
    [stage] = template.resources("AWS::ApiGateway::Stage")
    assert referred(mapping["Stage"]) == stage  # so that the mapping comes after the stage


@pytest.mark.parametrize(("name", "path"), [("ApiUrl", ""), ("DocsUrl", "/docs"), ("ConsoleUrl", "/console")])
def test_urls_show_the_domain(template: Template, name: str, path: str) -> None:
    def value(values: dict[str, str]) -> str:
        found = resolve(template.decided(values).document["Outputs"][name]["Value"], values)
        assert isinstance(found, str)
        return found

    assert value(DOMAIN) == f"https://hooks.example.com{path}"
    assert value({"Stage": "prod"}).endswith(f".${{AWS::URLSuffix}}/prod{path}")


@pytest.mark.parametrize(
    ("values", "refused"),
    [
        ({}, []),
        (DOMAIN, []),
        (DOMAIN | ZONE, []),
        ({"DomainName": "hooks.example.com"}, ["DomainNeedsCertificate"]),
        ({"CertificateArn": "arn"}, ["CertificateNeedsDomain"]),
        (ZONE, ["RecordNeedsDomain"]),
    ],
)
def test_a_domain_without_its_certificate_is_refused(
    template: Template, values: dict[str, str], refused: list[str]
) -> None:
    given = template.defaults | values
    found = [
        name
        for name, rule in template.document["Rules"].items()
        if name.endswith(("NeedsCertificate", "NeedsDomain"))
        and holds(rule["RuleCondition"], given)
        and not all(holds(each["Assert"], given) for each in rule["Assertions"])
    ]
    assert found == refused


def test_a_refusal_is_a_sentence_that_names_the_parameters(template: Template) -> None:
    for name, rule in template.document["Rules"].items():
        for assertion in rule["Assertions"]:
            assert any(each in assertion["AssertDescription"] for each in template.parameters), name
