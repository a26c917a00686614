"""The sources of a command's deployment: options, a profile, a stack file."""

import io
from argparse import Namespace
from collections.abc import Callable

import pytest

from tests.unit.cli.command_line import CommandLine
from webhooks_cli.context import CliContext
from webhooks_cli.deployment import Deployment, find_deployment
from webhooks_cli.errors import MissingError, WrongUseError

OPTIONS = dict.fromkeys(
    ("profile", "url", "stack", "region", "tenant", "community", "level", "license_file", "key_file")
)
STACK = {
    "apiUrl": "http://127.0.0.1:4566/prod",
    "awsEndpoint": "http://127.0.0.1:4566",
    "tenantId": "acme",
    "communityId": "main",
    "licenses": {"system": "of-system", "service": "of-service"},
}


@pytest.fixture
def deployment(webhooks: CommandLine) -> Callable[..., Deployment]:
    def find(folder: str = "", **options: object) -> Deployment:
        context = CliContext(
            stdin=io.BytesIO(),
            stdout=io.StringIO(),
            stderr=io.StringIO(),
            environment=webhooks.environment,
            folder=webhooks.folder / folder,
            home=webhooks.home,
            clock=lambda: webhooks.now,
            random_bytes=webhooks.random_bytes,
        )
        return find_deployment(Namespace(**OPTIONS | options), context)

    return find


def test_the_stack_file_is_searched_upward(
    webhooks: CommandLine, deployment: Callable[..., Deployment]
) -> None:
    webhooks.write_stack(**STACK)
    (webhooks.folder / "deep/er").mkdir(parents=True)
    found = deployment("deep/er")
    assert (found.url, found.tenant_id, found.community_id) == (STACK["apiUrl"], "acme", "main")
    assert found.key_file == webhooks.folder / ".local/caller.json"


def test_the_level_picks_the_license_and_is_system_by_default(
    webhooks: CommandLine, deployment: Callable[..., Deployment]
) -> None:
    webhooks.write_stack(**STACK)
    assert deployment().license == "of-system"
    assert deployment(level="service").license == "of-service"
    with pytest.raises(MissingError, match="no license of level service_ext"):
        deployment(level="service_ext")


def test_the_level_is_for_the_local_stack_only(deployment: Callable[..., Deployment]) -> None:
    with pytest.raises(WrongUseError, match="--level"):
        deployment(url="https://api.example.com", level="service")


def test_the_license_of_the_environment_is_not_sent_to_the_local_stack(
    webhooks: CommandLine, deployment: Callable[..., Deployment]
) -> None:
    webhooks.environment["WEBHOOKS_LICENSE"] = "of-production"
    webhooks.write_stack(**STACK)
    assert deployment().license == "of-system"
    assert deployment(url="https://api.example.com").license == "of-production"


@pytest.mark.parametrize("text", ["", "[]", "no json", "\udcff"])
def test_a_broken_stack_file_is_named(
    webhooks: CommandLine, deployment: Callable[..., Deployment], text: str
) -> None:
    webhooks.write_stack().write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(MissingError, match=r"stack\.json cannot be read"):
        deployment()


def test_a_profile_names_files_beside_itself(
    webhooks: CommandLine, deployment: Callable[..., Deployment]
) -> None:
    webhooks.write_profiles(
        '[prod]\nurl = "https://api.example.com/prod"\nprivate_key_file = "prod.key"\n'
        'license_file = "prod.license"\ntenant = "acme"\ncommunity = "main"\nstack = "w"\nregion = "eu-west-1"\n'
    )
    webhooks.write("home/.config/webhooks/prod.license", "the-license\n")
    found = deployment(profile="prod", community="other")
    assert found.license == "the-license"
    assert found.key_file == webhooks.home / ".config/webhooks/prod.key"
    assert (found.stack, found.region, found.community_id) == ("w", "eu-west-1", "other")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "does not exist"),
        ("[prod", "is not TOML"),
        ('[test]\nurl = "x"', "no profile prod; it has: test"),
        ('[prod]\nurll = "x"', "unknown urll; possible are url, private_key_file"),
        ("[prod]\nurl = 3", "must be text: url"),
        ('[prod]\nlicense_file = "nowhere"', "the license cannot be read"),
        ('[prod]\nurl = "ftp://x"', "must begin with https://"),
    ],
)
def test_a_profile_that_cannot_be_used_is_explained(
    webhooks: CommandLine, deployment: Callable[..., Deployment], text: str | None, reason: str
) -> None:
    if text is not None:
        webhooks.write_profiles(text)
    with pytest.raises((MissingError, WrongUseError), match=reason):
        deployment(profile="prod")


def test_the_text_of_a_deployment_shows_no_license(
    webhooks: CommandLine, deployment: Callable[..., Deployment]
) -> None:
    webhooks.write_stack(**STACK)
    assert "of-system" not in repr(deployment())


@pytest.mark.parametrize("command", [("license", "list"), ("publish", "e.json")])
def test_operators_need_a_stack(webhooks: CommandLine, command: tuple[str, str]) -> None:
    webhooks.write("e.json", {"eventName": "a", "tenantId": "t", "communityId": "c", "data": {}})
    ended = webhooks(*command, "--url", "https://api.example.com")
    assert ended.code == 4
    assert "give --stack" in ended.stderr
