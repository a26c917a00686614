"""`webhooks verify`: a verdict for each signature of a callback, by its headers and body."""

import json
import re
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from webhooks_cli.context import CliContext
from webhooks_cli.errors import OK, RefusedError, WrongUseError
from webhooks_cli.inputs import read_input, read_text
from webhooks_cli.options import add_command, caller_options, output_options
from webhooks_cli.result import Result, Table
from webhooks_cli.verification_keys import find_keys, header_value
from webhooks_verify import TOLERANCE_SECONDS, VerificationError, verify_callback

if TYPE_CHECKING:
    from webhooks_cli.options import Commands

DESCRIPTION = """\
Verify a received callback: its headers, its body to the byte, and the URL that it was sent to. Every key that
is given is used; without any, those that the API publishes (/publickeys and /.well-known/jwks.json of --api
or of .local/stack.json) and the webhook's own secret, which the API shows to a license of its community.
Exit code 1 if one signature does not verify.

HEADERS: a file with 'Name: value' lines, or a JSON object of name to value.

examples:
  webhooks verify --endpoint https://example.com/hook --headers headers.txt --body body.json
  webhooks verify --endpoint https://example.com/hook --headers h.txt --body body.json --secret whsec_...
  webhooks verify --endpoint https://example.com/h --headers h.json --body - --jwks jwks.json --at 1768469400
"""
EPOCH = re.compile(r"[0-9]{1,15}", re.ASCII)


def add_parser(commands: "Commands") -> None:
    parser = add_command(
        commands,
        "verify",
        run=run,
        summary="check a callback's signatures",
        description=DESCRIPTION,
        parents=[output_options(), caller_options()],
    )
    parser.add_argument(
        "--endpoint",
        "--url",
        dest="endpoint",
        required=True,
        metavar="URL",
        help="the endpoint's URL, as the webhook has it",
    )
    parser.add_argument("--headers", required=True, metavar="FILE", help="the headers; - for stdin")
    parser.add_argument("--body", required=True, metavar="FILE", help="the body, byte for byte; - for stdin")
    parser.add_argument("--method", default="POST", help="default: %(default)s")
    parser.add_argument(
        "--secret", metavar="whsec_...", help="the webhook's own secret; @FILE reads it from there"
    )
    parser.add_argument("--public-key", metavar="KEY", help="the service's public key")
    parser.add_argument("--jwks", metavar="URL", help="the published keys: a URL, or a file")
    parser.add_argument("--at", type=int, metavar="SECONDS", help="verify as of this time (default: now)")
    parser.add_argument(
        "--tolerance",
        type=int,
        default=TOLERANCE_SECONDS,
        metavar="SECONDS",
        help="its age, at most (default: %(default)s)",
    )
    parser.add_argument("--profile", metavar="NAME", help="the deployment whose published keys are used")
    parser.add_argument("--api", dest="url", metavar="URL", help="the same, by the URL of its API")
    parser.add_argument("--tenant", metavar="ID", help="the webhook's tenant, to fetch its secret")
    parser.add_argument("--community", metavar="ID", help="and its community")
    parser.set_defaults(stack=None, region=None)


def run(options: Namespace, context: CliContext) -> Result:
    """Verify with each key alone, so that each signature has its own verdict."""
    if options.headers == options.body == "-":
        raise WrongUseError("only one of --headers and --body can be stdin")
    headers = read_headers(read_text(options.headers, context), options.headers)
    body = read_input(options.body, context)
    keys, unchecked = find_keys(options, headers, context=context)
    now = int(context.clock()) if options.at is None else options.at
    verdicts = {}
    for key in keys:
        try:
            verify_callback(
                method=options.method.upper(),
                url=options.endpoint,
                headers=headers,
                body=body,
                now=now,
                tolerance=options.tolerance,
                **{key.argument: key.value},  # type: ignore[arg-type]  # each key has the type of its argument
            )
        except VerificationError as error:
            verdicts[key.scheme] = str(error)
        else:
            verdicts[key.scheme] = ""
    notes = [f"{scheme} was not checked: {reason}" for scheme, reason in unchecked.items()]
    if any(verdicts.values()):
        notes += ["the callback does not verify", *_age(headers, now=now, tolerance=options.tolerance)]
    return _result(verdicts, unchecked, notes=notes)


def _age(headers: Mapping[str, str], *, now: int, tolerance: int) -> Iterator[str]:
    timestamp = header_value(headers, "webhook-timestamp")
    if EPOCH.fullmatch(timestamp) and abs(now - int(timestamp)) > tolerance:
        yield f"it was signed at {timestamp}: --at {timestamp} verifies it as of then"


def _result(verdicts: Mapping[str, str], unchecked: Mapping[str, str], *, notes: Sequence[str]) -> Result:
    failed = {scheme: reason for scheme, reason in verdicts.items() if reason}
    verified = [scheme for scheme in verdicts if scheme not in failed]
    document: dict[str, Any] = {"ok": not failed, "verified": verified, "failed": failed}
    if unchecked:
        document["notChecked"] = unchecked
    rows = [(scheme, reason or "verified") for scheme, reason in verdicts.items()]
    return Result(
        document=document,
        shown=Table(("scheme", "verdict"), rows + [(scheme, "not checked") for scheme in unchecked]),
        notes=tuple(notes),
        exit_code=RefusedError.exit_code if failed else OK,
    )


def read_headers(text: str, source: str) -> dict[str, str]:
    """Read headers from JSON or from lines; raises WrongUseError."""
    if text.lstrip().startswith("{"):
        try:
            given = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise WrongUseError(f"{source}: not JSON: {error}") from None
        if not all(isinstance(value, str) for value in given.values()):
            raise WrongUseError(f"{source}: must be a JSON object of header name to text")
        return dict(given)
    headers = {}
    for number, line in enumerate(text.splitlines(), start=1):
        name, colon, value = line.partition(":")
        if colon and name and " " not in name:
            headers[name] = value.strip()
        elif line.strip() and number > 1:  # the first may be the request line
            raise WrongUseError(f"{source}, line {number}: must be 'Name: value'")
    if not headers:
        raise WrongUseError(f"{source}: holds no headers: 'Name: value' lines, or a JSON object")
    return headers
