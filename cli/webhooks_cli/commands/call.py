"""`webhooks call`: one request to the API with the encrypted headers, and its response."""

import re
from argparse import Namespace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from signing import TOKEN
from webhooks_cli.api import Api, ApiResponse
from webhooks_cli.api_paths import PUBLIC_PATHS, full_path
from webhooks_cli.aws import with_api_url
from webhooks_cli.context import CliContext
from webhooks_cli.deployment import find_deployment
from webhooks_cli.envelopes import open_envelopes
from webhooks_cli.errors import OK, RefusedError, UnreachableError, WrongUseError
from webhooks_cli.inputs import read_input
from webhooks_cli.options import add_command, caller_options, deployment_options, output_options
from webhooks_cli.result import Json, Result

if TYPE_CHECKING:
    from webhooks_cli.options import Commands

DESCRIPTION = """\
Send one request to the API. The headers licensekey, requestid and publickey are made from your key pair
and license; public paths are called without them.

PATH: with a slash first it is the API's path; {tenantId} and {communityId} are filled in. Without one it
lies in your community: webhook is /tenant/{tenantId}/community/{communityId}/webhook.

examples:
  webhooks call GET /healthz
  webhooks call PUT webhook -d webhook.json
  webhooks call POST webhooks/fetch -d '{"pSize": 5}' --decrypt
  webhooks call DELETE webhook/65f0c0ffee65f0c0ffee65f0 --level service
  webhooks call GET /servicekeys --profile prod --json
"""
METHOD = re.compile(r"[A-Za-z]{1,16}", re.ASCII)
HEADER = re.compile(rf"({TOKEN}):[ \t]*([\x20-\x7e\x80-\xff]*)")


def add_parser(commands: "Commands") -> None:
    parser = add_command(
        commands,
        "call",
        run=run,
        summary="send a request to the API",
        description=DESCRIPTION,
        parents=[output_options(), deployment_options(), caller_options()],
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
        help="a further header, or another value of one",
    )
    parser.add_argument(
        "--decrypt", action="store_true", help="open the envelopes in the response that are for you"
    )
    parser.add_argument(
        "-i", "--include", action="store_true", help="show the status and headers of the response too"
    )
    parser.add_argument("--no-auth", action="store_true", help="send without the three headers")


def run(options: Namespace, context: CliContext) -> Result:
    if not METHOD.fullmatch(options.method):
        raise WrongUseError(f"METHOD must be an HTTP method such as GET, not {options.method}")
    deployment = with_api_url(find_deployment(options, context))
    path = full_path(options.path, deployment)
    body = _body(options.data, context)
    api = Api(deployment, context)
    headers = {} if options.no_auth or PUBLIC_PATHS.fullmatch(path.partition("?")[0]) else api.headers()
    if body is not None:
        headers["Content-Type"] = "application/json"
    headers = _merged(headers, options.header)
    response = api.send(options.method.upper(), path, headers=headers, body=body)
    value, notes = response.value(), [f"{response.status} {response.reason} ({response.elapsed_ms} ms)"]
    if options.decrypt:
        value, closed = open_envelopes(value, api.session().shared_key)
        notes += [f"{name}: no envelope for this key pair, left as it is" for name in closed]
    return _result(response, value, notes=notes, include=options.include)


def _body(data: str | None, context: CliContext) -> bytes | None:
    if data is None:
        return None
    if data.lstrip().startswith(("{", "[")):
        return data.encode("utf-8", "surrogateescape")
    return read_input(data, context)


def _merged(headers: dict[str, str], given: list[str]) -> dict[str, str]:
    merged = {name.lower(): (name, value) for name, value in headers.items()}
    for text in given:
        found = HEADER.fullmatch(text)
        if not found:
            raise WrongUseError("-H takes 'Name: value' with a header's name and printable characters")
        merged[found[1].lower()] = (found[1], found[2].rstrip())
    return dict(merged.values())


def _result(response: ApiResponse, value: Any, *, notes: list[str], include: bool) -> Result:
    document = value
    if include:
        document = {"status": response.status, "headers": dict(response.headers), "body": value}
        notes += [f"{name}: {text}" for name, text in response.headers.items()]
    shown: str | Json = "" if value is None else value if isinstance(value, str) else Json(value)
    return Result(document=document, shown=shown, notes=tuple(notes), exit_code=exit_code(response.status))


def exit_code(status: int) -> int:
    """Return the exit code for a status of the API."""
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return UnreachableError.exit_code
    return OK if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES else RefusedError.exit_code
