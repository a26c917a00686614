"""Where a command finds its deployment; `publish` and `license` show it before they connect."""

from argparse import Namespace
from collections.abc import Callable

import pytest

from tests.unit.cli.command_line import CommandLine
from webhooks_cli.errors import MissingError, WrongUseError
from webhooks_cli.target import Target, find_target
from webhooks_cli.world import World

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
def target(webhooks: CommandLine) -> Callable[..., Target]:
    def find(folder: str = "", **options: object) -> Target:
        world = World(
            stdin=None,
            stdout=None,
            stderr=None,
            environment=webhooks.environment,
            folder=webhooks.folder / folder,
            home=webhooks.home,
            clock=None,
            entropy=None,
        )
        return find_target(Namespace(**OPTIONS | options), world)

    return find


def test_the_stack_file_is_searched_upward(webhooks: CommandLine, target: Callable[..., Target]) -> None:
    webhooks.write_stack(**STACK)
    (webhooks.folder / "deep/er").mkdir(parents=True)
    found = target("deep/er")
    assert (found.url, found.tenant_id, found.community_id) == (STACK["apiUrl"], "acme", "main")
    assert found.key_file == webhooks.folder / ".local/caller.json"


def test_the_level_picks_the_license_and_is_system_by_default(
    webhooks: CommandLine, target: Callable[..., Target]
) -> None:
    webhooks.write_stack(**STACK)
    assert target().license == "of-system"
    assert target(level="service").license == "of-service"
    with pytest.raises(MissingError, match="no license of level service_ext"):
        target(level="service_ext")


def test_the_level_is_for_the_local_stack_only(target: Callable[..., Target]) -> None:
    with pytest.raises(WrongUseError, match="--level"):
        target(url="https://api.example.com", level="service")


def test_the_license_of_the_environment_is_not_sent_to_the_local_stack(
    webhooks: CommandLine, target: Callable[..., Target]
) -> None:
    webhooks.environment["WEBHOOKS_LICENSE"] = "of-production"
    webhooks.write_stack(**STACK)
    assert target().license == "of-system"
    assert target(url="https://api.example.com").license == "of-production"


@pytest.mark.parametrize("text", ["", "[]", "no json", "\udcff"])
def test_a_broken_stack_file_is_named(
    webhooks: CommandLine, target: Callable[..., Target], text: str
) -> None:
    webhooks.write_stack().write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(MissingError, match=r"stack\.json cannot be read"):
        target()


def test_a_profile_names_files_beside_itself(webhooks: CommandLine, target: Callable[..., Target]) -> None:
    webhooks.write_profiles(
        '[prod]\nurl = "https://api.example.com/prod"\nprivate_key_file = "prod.key"\n'
        'license_file = "prod.license"\ntenant = "acme"\ncommunity = "main"\nstack = "w"\nregion = "eu-west-1"\n'
    )
    webhooks.write("home/.config/webhooks/prod.license", "the-license\n")
    found = target(profile="prod", community="other")
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
    webhooks: CommandLine, target: Callable[..., Target], text: str | None, reason: str
) -> None:
    if text is not None:
        webhooks.write_profiles(text)
    with pytest.raises((MissingError, WrongUseError), match=reason):
        target(profile="prod")


def test_a_target_shows_no_license(webhooks: CommandLine, target: Callable[..., Target]) -> None:
    webhooks.write_stack(**STACK)
    assert "of-system" not in repr(target())


@pytest.mark.parametrize("command", [("license", "list"), ("publish", "e.json")])
def test_a_deployment_without_a_stack_cannot_be_operated(
    webhooks: CommandLine, command: tuple[str, str]
) -> None:
    webhooks.write("e.json", {"eventName": "a", "tenantId": "t", "communityId": "c", "data": {}})
    ended = webhooks(*command, "--url", "https://api.example.com")
    assert ended.code == 4
    assert "give --stack" in ended.stderr
