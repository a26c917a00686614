"""`webhooks headers`: the three headers of a request, for curl."""

from argparse import Namespace
from typing import TYPE_CHECKING

from webhooks_cli.api import Api
from webhooks_cli.aws import with_api_url
from webhooks_cli.context import CliContext
from webhooks_cli.deployment import find_deployment
from webhooks_cli.options import add_command, caller_options, deployment_options, output_options
from webhooks_cli.result import Result

if TYPE_CHECKING:
    from webhooks_cli.options import Commands

DESCRIPTION = """\
Print the headers licensekey, requestid and publickey. They are valid for some minutes (allowed_time_span of
/environment: 120 seconds before and after now by default).

examples:
  webhooks headers                                     lines to paste after curl
  webhooks headers --plain | curl -H @- "$API_URL/servicekeys"
  eval "curl $(webhooks headers) $API_URL/servicekeys"
  webhooks headers --json --level service
"""


def add_parser(commands: "Commands") -> None:
    parser = add_command(
        commands,
        "headers",
        run=run,
        summary="print the encrypted headers for curl",
        description=DESCRIPTION,
        parents=[output_options(), deployment_options(), caller_options()],
    )
    parser.add_argument("--plain", action="store_true", help="as 'name: value' lines, for curl -H @FILE")


def run(options: Namespace, context: CliContext) -> Result:
    headers = Api(with_api_url(find_deployment(options, context)), context).headers()
    lines = [f"{name}: {value}" for name, value in headers.items()]
    if not options.plain:  # base64 has no quote, so single quotes are enough
        lines = [f"-H '{line}'" for line in lines]
    return Result(document=headers, shown=("\n" if options.plain else " \\\n").join(lines))
