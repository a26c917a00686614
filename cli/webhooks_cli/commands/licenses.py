"""`webhooks license`: what operators do with licenses."""

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from webhooks_cli.aws import Account
from webhooks_cli.errors import MissingError, RefusedError, WrongUseError
from webhooks_cli.license import (
    ANY,
    IDENTIFIER,
    IDENTIFIER_RULE,
    LEVELS,
    SYSTEM,
    TEXT,
    TEXT_RULE,
    License,
)
from webhooks_cli.moments import parse_moment, show_moment
from webhooks_cli.options import add_command, output_options, target_options
from webhooks_cli.result import Result, Table
from webhooks_cli.target import Target, find_target
from webhooks_cli.world import World

if TYPE_CHECKING:
    from collections.abc import Sequence

    from webhooks_cli.options import Commands
    from webhooks_cli.register import Issued, LicenseRegister

HASH_SHOWN = 12  # characters of a hash: enough to tell licenses apart
HASH_MIN = 8  # of a hash that is given

KEY_BYTES = 32
ISSUE = """\
Issue a license. Its key is shown once, now; the service stores its SHA-256 only. A license is for one
community (--tenant, --community); without them, a system license is for all.

examples:
  webhooks license issue --level system --label operations
  webhooks license issue --level service --tenant acme --community main --expires 365d --stack webhooks
  webhooks license issue --level service_ext --json | jq -r .license > acme.license
"""
LIST = """\
List all licenses, expired and disabled ones too, the newest first.

examples:
  webhooks license list
  webhooks license list --stack webhooks --region eu-west-1 --json
"""
DISABLE = """\
Disable a license, by its hash (eight characters of it or more) or its label. It may count for another minute
where the service has seen it.

examples:
  webhooks license disable 3f9a2c81
  webhooks license disable acme-2026 --stack webhooks
"""


def add_parser(commands: "Commands") -> None:
    """Add the commands."""
    actions = commands.add_parser(
        "license", help="issue, list, disable licenses (operators)", allow_abbrev=False
    ).add_subparsers(metavar="ACTION", required=True)
    parents = [output_options(), target_options()]
    parser = add_command(
        actions, "issue", run=issue, summary="issue a license", description=ISSUE, parents=parents
    )
    parser.add_argument("--level", dest="auth_level", choices=LEVELS, required=True, help="what it is for")
    parser.add_argument("--expires", metavar="WHEN", help="90d, 12h, a date, an ISO time; default: never")
    parser.add_argument("--label", default="", help="a name for people")
    add_command(actions, "list", run=list_all, summary="list them", description=LIST, parents=parents)
    parser = add_command(
        actions, "disable", run=disable, summary="disable one", description=DISABLE, parents=parents
    )
    parser.add_argument("name", metavar="HASH|LABEL")


def issue(options: Namespace, world: World) -> Result:
    """Issue a license and show its key, this once."""
    target = find_target(options, world)
    tenant, community = _scope(options.auth_level, options, target)
    license_ = License(
        auth_level=options.auth_level,
        tenant_id=tenant,
        community_id=community,
        expires_at=parse_moment(options.expires, world.clock()) if options.expires else None,
        label=_label(options.label),
    )
    key = world.entropy(KEY_BYTES).hex()
    issued = _register(target).issue(key, license_, now=int(world.clock()))
    return Result(
        document={"license": key, **_document(issued)},
        shown=key,
        notes=(f"{_sentence(issued)}; the key is shown only now:",),
    )


def list_all(options: Namespace, world: World) -> Result:
    """List the licenses."""
    found, now = _register(find_target(options, world)).list(), int(world.clock())
    rows = [
        (
            each.hash[:HASH_SHOWN],
            each.license.auth_level,
            each.license.tenant_id,
            each.license.community_id,
            each.license.label,
            _state(each.license, now),
            show_moment(each.issued_at),
        )
        for each in found
    ]
    columns = ("hash", "level", "tenant", "community", "label", "state", "issued")
    return Result(document=[_document(each) for each in found], shown=Table(columns, rows))


def disable(options: Namespace, world: World) -> Result:
    """Disable a license."""
    register = _register(find_target(options, world))
    issued = choose(options.name, register.list())
    register.disable(issued.hash)
    return Result(document={**_document(issued), "disabled": True}, shown=f"disabled: {_sentence(issued)}")


def _register(target: Target) -> "LicenseRegister":
    # Imported here, as boto3: no other command needs it.
    from webhooks_cli.register import LicenseRegister  # noqa: PLC0415

    return LicenseRegister(Account(target))


def choose(name: str, issued: "Sequence[Issued]") -> "Issued":
    """Return the license of this hash (or its beginning) or label.

    Raises RefusedError where there is none, WrongUseError where several could be meant.
    """
    matching = [
        each
        for each in issued
        if each.license.label == name or (len(name) >= HASH_MIN and each.hash.startswith(name.lower()))
    ]
    if not matching:
        raise RefusedError(f"no license has the hash or label {name}: `webhooks license list` shows them")
    enabled = [each for each in matching if not each.license.disabled]
    if len(enabled) > 1:
        hashes = ", ".join(each.hash[:HASH_SHOWN] for each in enabled)
        raise WrongUseError(f"several licenses are called {name}: give one hash of {hashes}")
    return (enabled or matching)[0]


def _scope(level: str, options: Namespace, target: Target) -> tuple[str, str]:
    if level == SYSTEM:
        tenant, community = options.tenant or ANY, options.community or ANY
    else:
        tenant, community = target.tenant_id or "", target.community_id or ""
        if not tenant or not community:
            raise MissingError(f"a {level} license is for one community: give --tenant and --community")
    for option, value in (("--tenant", tenant), ("--community", community)):
        if value != ANY and not IDENTIFIER.fullmatch(value):
            raise WrongUseError(f"{option}: must be {IDENTIFIER_RULE}")
    if level != SYSTEM and ANY in (tenant, community):
        raise WrongUseError(f"a {level} license is for one community, not for {ANY}")
    return tenant, community


def _label(text: str) -> str:
    if not TEXT.fullmatch(text):
        raise WrongUseError(f"--label: must have {TEXT_RULE}")
    return text


def _state(license_: License, now: int) -> str:
    if license_.disabled:
        return "disabled"
    if license_.expires_at is None:
        return "valid"
    word = "expired" if license_.is_expired(now) else "until"
    return f"{word} {show_moment(license_.expires_at)}"


def _sentence(issued: "Issued") -> str:
    license_ = issued.license
    everywhere = license_.community_id == ANY
    place = "all communities" if everywhere else f"{license_.tenant_id}/{license_.community_id}"
    return f"{license_.auth_level} license {issued.hash[:HASH_SHOWN]} for {place}"


def _document(issued: "Issued") -> dict[str, Any]:
    license_ = issued.license
    return {
        "hash": issued.hash,
        "authLevel": license_.auth_level,
        "tenantId": license_.tenant_id,
        "communityId": license_.community_id,
        "label": license_.label,
        "validUntil": license_.expires_at,
        "disabled": license_.disabled,
        "issuedAt": issued.issued_at,
    }
