"""`webhooks license`: the issue, list and end of licenses, for operators."""

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from webhooks_cli.aws import Account
from webhooks_cli.context import CliContext
from webhooks_cli.deployment import Deployment, find_deployment
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
from webhooks_cli.options import add_command, deployment_options, output_options
from webhooks_cli.result import Result, Table
from webhooks_cli.timestamps import parse_timestamp, show_timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from webhooks_cli.options import Commands
    from webhooks_cli.register import Issued, LicenseRegister

HASH_SHOWN = 12  # characters of a hash: enough to tell licenses apart
HASH_MIN = 8  # characters of a hash that an operator gives

KEY_BYTES = 32
ISSUE = """\
Issue a license. Its key is shown only now; the service stores its SHA-256 alone. A license is for one
community (--tenant, --community); a system license without them is for all.

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
Disable a license, by its hash (its first eight characters or more) or its label. The service may accept it
for another minute.

examples:
  webhooks license disable 3f9a2c81
  webhooks license disable acme-2026 --stack webhooks
"""


def add_parser(commands: "Commands") -> None:
    actions = commands.add_parser(
        "license", help="issue, list, disable licenses (operators)", allow_abbrev=False
    ).add_subparsers(metavar="ACTION", required=True)
    parents = [output_options(), deployment_options()]
    parser = add_command(
        actions, "issue", run=issue, summary="issue a license", description=ISSUE, parents=parents
    )
    parser.add_argument("--level", dest="auth_level", choices=LEVELS, required=True, help="its auth level")
    parser.add_argument("--expires", metavar="WHEN", help="90d, 12h, a date, an ISO time; default: never")
    parser.add_argument("--label", default="", help="a name for people")
    add_command(actions, "list", run=list_all, summary="list them", description=LIST, parents=parents)
    parser = add_command(
        actions, "disable", run=disable, summary="disable one", description=DISABLE, parents=parents
    )
    parser.add_argument("name", metavar="HASH|LABEL")


def issue(options: Namespace, context: CliContext) -> Result:
    deployment = find_deployment(options, context)
    tenant, community = _scope(options.auth_level, options, deployment)
    license_ = License(
        auth_level=options.auth_level,
        tenant_id=tenant,
        community_id=community,
        expires_at=parse_timestamp(options.expires, context.clock()) if options.expires else None,
        label=_label(options.label),
    )
    key = context.random_bytes(KEY_BYTES).hex()
    issued = _register(deployment).issue(key, license_, now=int(context.clock()))
    return Result(
        document={"license": key, **_document(issued)},
        shown=key,
        notes=(f"{_sentence(issued)}; the key is shown only now:",),
    )


def list_all(options: Namespace, context: CliContext) -> Result:
    found, now = _register(find_deployment(options, context)).list(), int(context.clock())
    rows = [
        (
            each.hash[:HASH_SHOWN],
            each.license.auth_level,
            each.license.tenant_id,
            each.license.community_id,
            each.license.label,
            _state(each.license, now),
            show_timestamp(each.issued_at),
        )
        for each in found
    ]
    columns = ("hash", "level", "tenant", "community", "label", "state", "issued")
    return Result(document=[_document(each) for each in found], shown=Table(columns, rows))


def disable(options: Namespace, context: CliContext) -> Result:
    register = _register(find_deployment(options, context))
    issued = choose(options.name, register.list())
    register.disable(issued.hash)
    return Result(document={**_document(issued), "disabled": True}, shown=f"disabled: {_sentence(issued)}")


def _register(deployment: Deployment) -> "LicenseRegister":
    # Imported here: no other command needs it.
    from webhooks_cli.register import LicenseRegister  # noqa: PLC0415

    return LicenseRegister(Account(deployment))


def choose(name: str, issued: "Sequence[Issued]") -> "Issued":
    """Return the license of this hash (or its first characters) or label.

    Raises RefusedError where none matches, WrongUseError where several enabled ones do.
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


def _scope(level: str, options: Namespace, deployment: Deployment) -> tuple[str, str]:
    if level == SYSTEM:
        tenant, community = options.tenant or ANY, options.community or ANY
    else:
        tenant, community = deployment.tenant_id or "", deployment.community_id or ""
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
    return f"{word} {show_timestamp(license_.expires_at)}"


def _sentence(issued: "Issued") -> str:
    license_ = issued.license
    everywhere = license_.community_id == ANY
    scope = "all communities" if everywhere else f"{license_.tenant_id}/{license_.community_id}"
    return f"{license_.auth_level} license {issued.hash[:HASH_SHOWN]} for {scope}"


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
