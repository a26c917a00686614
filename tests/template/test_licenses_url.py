"""LicensesUrl: the functions accept exactly the values of the template, so that no function fails at its start."""

import re

import pytest

from tests.template.template import Template
from webhooks.environment import LICENSES_URL, SettingsError
from webhooks.settings import AuthenticationSettings

VARIABLES = {
    "EC_CURVE_NAME": "secp256k1",
    "ACCESS_TABLE": "access",
    "SERVICE_KEYS_SECRET": "keys",
    "ALLOWED_TIME_SPAN": "120",
    "RAW_CREDENTIAL_HEADERS": "Refused",
}


def test_the_template_and_the_functions_have_the_same_pattern(template: Template) -> None:
    assert template.document["Parameters"]["LicensesUrl"]["AllowedPattern"] == LICENSES_URL


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://licenses.example.com",
        "https://licenses.example.com:8443/licenses/v1",
        "http://127.0.0.1:4566/licenses",
        "http://localhost",
        "http://[::1]:80/a",
        "https://licenses.example.com/a%20b",
    ],
)
def test_https_is_accepted_and_http_to_this_machine(url: str) -> None:
    assert AuthenticationSettings.load(VARIABLES | {"LICENSES_URL": url}).licenses_url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://licenses.example.com",
        "http://127.0.0.1.example.com",
        "http://127.0.0.1@example.com",
        "http://localhost:80@example.com/x",
        "http://127.0.0.2",
        "http://localhost.example.com",
        "HTTP://127.0.0.1",
        "ftp://licenses.example.com",
        "https://",
        "https://licenses.example.com/",
        "https://licenses.example.com/a?b=c",
        "https://licenses.example.com/a#b",
        "https://licenses.example.com/a b",
        "https://licenses.example.com\n",
        "https://licenses.example.com/\u00a0x",
        "https://licenses.example.com:99999",
        "https://user:password@licenses.example.com",
    ],
)
def test_every_other_url_is_refused(url: str) -> None:
    assert not re.fullmatch(LICENSES_URL, url)
    with pytest.raises(SettingsError, match="LICENSES_URL is wrong: must be empty, or an https URL"):
        AuthenticationSettings.load(VARIABLES | {"LICENSES_URL": url})
