"""Responses in AWS's place: all of botocore runs, and no request leaves the process."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders

from webhooks.adapters.aws.clients import AwsClients

# Takes an operation's name and the request's body, returns the response's body.
type Respond = Callable[[str, bytes], bytes]


class _Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._body


def stub_aws(aws: AwsClients, respond: Respond) -> None:
    """Let `respond` take all calls of these clients."""
    for client in clients_of(aws):
        stub_client(client, respond)


def stub_client(client: Any, respond: Respond) -> None:
    """Let `respond` take all calls of one client of botocore."""

    def send(request: AWSPreparedRequest, event_name: str, **_: Any) -> AWSResponse:
        body = request.body if isinstance(request.body, bytes) else str(request.body or "").encode()
        content = respond(event_name.rpartition(".")[2], body)
        headers = HTTPHeaders.from_dict(
            {"content-type": "application/x-amz-json-1.0", "content-length": str(len(content))}
        )
        return AWSResponse(request.url, 200, headers, _Raw(content))

    client.meta.events.register("before-send", send)


def canned(responses: Mapping[str, bytes]) -> Respond:
    """Respond to each operation with the same bytes for any request."""
    return lambda operation, _: responses[operation]


def clients_of(aws: AwsClients) -> tuple[Any, ...]:
    return aws.dynamodb, aws.sqs, aws.secrets
