"""Input that `call` refuses before it sends anything, and the short form of paths."""

import pytest

from tests.unit.cli.command_line import CommandLine
from webhooks_cli.api_paths import full_path
from webhooks_cli.commands.call import exit_code
from webhooks_cli.deployment import Deployment
from webhooks_cli.errors import CliError, MissingError, WrongUseError

DEPLOYMENT = Deployment(origin="a test", tenant_id="acme", community_id="main")


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("/healthz", "/healthz"),
        ("webhook", "/tenant/acme/community/main/webhook"),
        ("webhooks/fetch", "/tenant/acme/community/main/webhooks/fetch"),
        ("webhook/65f0/secret", "/tenant/acme/community/main/webhook/65f0/secret"),
        ("/tenant/{tenantId}/community/other/webhook", "/tenant/acme/community/other/webhook"),
        ("/servicekey/a%2Fb%3D", "/servicekey/a%2Fb%3D"),
        ("/sd?a=1&b=ü", "/sd?a=1&b=%C3%BC"),
        ("/a b\r\nc", "/a%20b%0D%0Ac"),
    ],
)
def test_a_path_is_filled_in_and_safe_to_send(short: str, full: str) -> None:
    assert full_path(short, DEPLOYMENT) == full


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/webhook/{webhookId}", WrongUseError),
        ("https://elsewhere/x", WrongUseError),
        ("/x/{}", WrongUseError),
    ],
)
def test_a_path_that_cannot_be_sent_is_refused(path: str, error: type[WrongUseError]) -> None:
    with pytest.raises(error, match="PATH"):
        full_path(path, DEPLOYMENT)


def test_a_missing_tenant_is_asked_for() -> None:
    with pytest.raises(MissingError, match="give --tenant"):
        full_path("webhook", Deployment(origin="a test"))


@pytest.mark.parametrize(
    ("status", "code"),
    [(200, 0), (204, 0), (301, 1), (400, 1), (401, 1), (404, 1), (429, 1), (500, 3), (503, 3)],
)
def test_a_status_has_its_exit_code(status: int, code: int) -> None:
    assert exit_code(status) == code


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        (("G ET", "/healthz"), "METHOD"),
        (("GET", "/healthz", "-H", "no colon"), "-H takes"),
        (("GET", "/healthz", "-H", "a: b\r\nc: d"), "-H takes"),
        (
            ("PUT", "webhook", "-d", "nowhere.json"),
            "nowhere.json: cannot be read (No such file or directory)",
        ),
        (("PUT", "webhook", "-d", "."), "cannot be read"),
    ],
)
def test_wrong_use_is_explained(webhooks: CommandLine, argv: tuple[str, ...], reason: str) -> None:
    webhooks.write_stack(apiUrl="http://127.0.0.1:9", tenantId="acme", communityId="main")
    ended = webhooks("call", "--no-auth", *argv)
    assert ended.code == 2
    assert reason in ended.stderr


def test_every_kind_of_error_has_an_exit_code_of_its_own() -> None:
    codes = [kind.exit_code for kind in CliError.__subclasses__()]
    assert sorted(codes) == [1, 2, 3, 4, 130]
