"""The REST API of one function: routes, the answer to every error, and one log line for each request.

Powertools routes. Its validation and Depends are not used: it validates before anything can authenticate,
takes the first object of an array for the body, and resolves type hints anew for each request.
"""

import logging
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Never

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response, content_types
from aws_lambda_powertools.event_handler.exceptions import NotFoundError as NoRouteError

from webhooks.domain.errors import NotFoundError
from webhooks.domain.json_text import write_json
from webhooks.entrypoints.api import errors
from webhooks.entrypoints.api.request import Request
from webhooks.entrypoints.invocation import Invocation
from webhooks.logging import METRICS, metrics
from webhooks.ports import Clock

REQUEST_ID = "x-request-id"
NAMED = re.compile(r"<\w+>")
CLIENT_ERROR, SERVER_ERROR = 400, 500
DIMENSIONS = (("service",),)  # each further set would be as many metrics again, each with its price

logger = logging.getLogger(METRICS)


class RestApi(APIGatewayRestResolver):
    """Routes of one function. A path answers 405 to the methods that it has not; every other path is a 404.

    `incoming` is the request that is being answered; `facts`: what its log line says beside the usual;
    `paths`: the methods of each path.
    """

    def __init__(
        self,
        invocation: Invocation,
        *,
        clock: Clock = time.time,
        timer: Clock = time.perf_counter,
    ) -> None:
        super().__init__(debug=False)
        self._invocation = invocation
        self.incoming = Request.of({})
        self.facts: dict[str, str] = {}
        self._clock = clock
        self._timer = timer
        self.paths: dict[str, list[str]] = {}
        self.exception_handler(Exception)(errors.error_response)
        self.not_found(self._refuse)

    def route(self, rule: str, method: Any, *args: Any, **kwargs: Any) -> Callable[[Any], Any]:
        """Register a route; `rule` is a path with `<name>`s, in which a dot is a dot."""
        rule = rule.replace(".", r"\.")
        self.paths.setdefault(rule, []).append(method)
        return super().route(rule, method, *args, **kwargs)

    def handle(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        """Answer one request."""
        started = self._timer()
        self._invocation.begin(context)
        self.incoming, self.facts = Request.of(event), {}
        response = self.resolve({**event, "path": self.incoming.path}, context)
        response["multiValueHeaders"][REQUEST_ID] = [self.incoming.id]
        self._report(int(response["statusCode"]), latency_ms=round((self._timer() - started) * 1000, 3))
        return response

    def _refuse(self, _: NoRouteError) -> Never:
        method, path = self.incoming.method, self.incoming.path
        for rule, methods in self.paths.items():
            if method not in methods and re.fullmatch(f"{NAMED.sub('[^/]+', rule)}/*", path):
                raise errors.MethodNotAllowedError(", ".join(methods))
        raise NotFoundError("there is nothing at this path; /docs and /openapi.json list the paths")

    def _report(self, status: int, *, latency_ms: float) -> None:
        facts = {
            "method": self.incoming.method,
            "route": self.incoming.resource,
            "status": status,
            "latency_ms": latency_ms,
            "request_id": self.incoming.id,
            **self.facts,
        }
        # API Gateway counts requests, latency and errors of the whole API; these two are each function's.
        values = {
            "ClientErrors": (float(CLIENT_ERROR <= status < SERVER_ERROR), "Count"),
            "ServerErrors": (float(status >= SERVER_ERROR), "Count"),
        }
        made = metrics(values, dimensions=DIMENSIONS, now=self._clock())
        logger.info("request.completed", extra={**facts, **made})


def json_response(content: Any, *, headers: Mapping[str, str] | None = None) -> Response[str]:
    """Return a 200 with a JSON body: a text that is JSON already, or what is to be written as JSON.

    Nobody may keep it unless `headers` say so.
    """
    text = content if isinstance(content, str) else write_json(content)
    return Response(
        200, content_types.APPLICATION_JSON, text, headers={"Cache-Control": "no-store", **(headers or {})}
    )


def no_content() -> Response[str]:
    """Return a 204."""
    return Response(204, body="")
