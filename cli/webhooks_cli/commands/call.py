"""`webhooks call`: one request to the API with the encrypted headers, and its answer."""

import re
from argparse import Namespace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from webhooks_cli.api import Answer, Api
from webhooks_cli.aws import with_api_url
from webhooks_cli.envelopes import open_envelopes
from webhooks_cli.errors import OK, MissingError, RefusedError, UnreachableError, WrongUseError
from webhooks_cli.inputs import read_input
from webhooks_cli.options import add_command, caller_options, output_options, target_options
from webhooks_cli.result import Json, Result
from webhooks_cli.target import Target, find_target
from webhooks_cli.world import World

if TYPE_CHECKING:
    from webhooks_cli.options import Commands

DESCRIPTION = """\
Send one request to the API. The headers licensekey, requestid and publickey are made from your key pair
and license; what the service shows to anyone is asked for without them.

PATH: with a slash first it is the API's path; {tenantId} and {communityId} are filled in. Without one it
lies in your community: webhook is /tenant/{tenantId}/community/{communityId}/webhook.

examples:
  webhooks call GET /healthz
  webhooks call PUT webhook -d webhook.json
  webhooks call POST webhooks/fetch -d '{"pSize": 5}' --decrypt
  webhooks call DELETE webhook/65f0c0ffee65f0c0ffee65f0 --level service
  webhooks call GET /servicekeys --profile prod --json
"""
COMMUNITY = "/tenant/{tenantId}/community/{communityId}/"
PLACEHOLDER = re.compile(r"\{(\w*)\}")
OPEN_PATHS = re.compile(
    r"/(healthz|environment|publickeys|sd|\.well-known(/.*)?|openapi\.json|docs|ecdsa_helper(/.*)?)"
)
METHOD = re.compile(r"[A-Za-z]{1,16}", re.ASCII)
HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e\x80-\xff]*)")
URL_SAFE = "/?&=%:@!$'()*+,;~-._"


def add_parser(commands: "Commands") -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "call",
        run=run,
        summary="send a request to the API",
        description=DESCRIPTION,
        parents=[output_options(), target_options(), caller_options()],
    )
    parser.add_argument("method", metavar="METHOD", help="GET, POST, PUT, PATCH, DELETE")
    parser.add_argument("path", metavar="PATH", help="the path, or its short form")
    parser.add_argument("-d", "--data", metavar="FILE", help="the body: a file, - for stdin, or JSON itself")
    parser.add_argument(
        "-H",
        "--header",
        action="append",
        default=[],
        metavar="'NAME: VALUE'",
        help="one more header, or another value for one",
    )
    parser.add_argument(
        "--decrypt", action="store_true", help="open the envelopes in the answer that are for you"
    )
    parser.add_argument(
        "-i", "--include", action="store_true", help="show the answer's status and headers too"
    )
    parser.add_argument("--no-auth", action="store_true", help="send without the three headers")


def run(options: Namespace, world: World) -> Result:
    """Send the request."""
    if not METHOD.fullmatch(options.method):
        raise WrongUseError(f"METHOD must be an HTTP method such as GET, not {options.method}")
    target = with_api_url(find_target(options, world))
    path = full_path(options.path, target)
    body = _body(options.data, world)
    api = Api(target, world)
    headers = {} if options.no_auth or OPEN_PATHS.fullmatch(path.partition("?")[0]) else api.headers()
    if body is not None:
        headers["Content-Type"] = "application/json"
    headers = _merged(headers, options.header)
    answer = api.send(options.method.upper(), path, headers=headers, body=body)
    value, notes = answer.value(), [f"{answer.status} {answer.reason} ({answer.elapsed_ms} ms)"]
    if options.decrypt:
        value, closed = open_envelopes(value, api.session().shared_key)
        notes += [f"{name}: no envelope for this key pair, left as it is" for name in closed]
    return _result(answer, value, notes=notes, include=options.include)


def full_path(path: str, target: Target) -> str:
    """Return the path from its short form; raises WrongUseError and MissingError."""
    if "://" in path:
        raise WrongUseError("PATH is a path of the API, not a URL: give the URL with --url")
    if not path.startswith("/"):
        path = COMMUNITY + path
    known = {"tenantId": ("--tenant", target.tenant_id), "communityId": ("--community", target.community_id)}

    def fill(found: re.Match[str]) -> str:
        name = found[1]
        if name not in known:
            raise WrongUseError(
                f"PATH: put a value in the place of {found[0]}; only {{tenantId}} and {{communityId}} "
                "are filled in"
            )
        option, value = known[name]
        if not value:
            raise MissingError(f"{target.origin} has no {name}: give {option}")
        return quote(value, safe="")

    return quote(PLACEHOLDER.sub(fill, path), safe=URL_SAFE)


def _body(data: str | None, world: World) -> bytes | None:
    if data is None:
        return None
    if data.lstrip().startswith(("{", "[")):
        return data.encode("utf-8", "surrogateescape")
    return read_input(data, world)


def _merged(headers: dict[str, str], given: list[str]) -> dict[str, str]:
    merged = {name.lower(): (name, value) for name, value in headers.items()}
    for text in given:
        found = HEADER.fullmatch(text)
        if not found:
            raise WrongUseError("-H takes 'Name: value' with a header's name and printable characters")
        merged[found[1].lower()] = (found[1], found[2].rstrip())
    return dict(merged.values())


def _result(answer: Answer, value: Any, *, notes: list[str], include: bool) -> Result:
    document = value
    if include:
        document = {"status": answer.status, "headers": dict(answer.headers), "body": value}
        notes += [f"{name}: {text}" for name, text in answer.headers.items()]
    shown: str | Json = "" if value is None else value if isinstance(value, str) else Json(value)
    return Result(document=document, shown=shown, notes=tuple(notes), exit_code=exit_code(answer.status))


def exit_code(status: int) -> int:
    """Return what the command ends with for a status of the API."""
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return UnreachableError.exit_code
    return OK if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES else RefusedError.exit_code
