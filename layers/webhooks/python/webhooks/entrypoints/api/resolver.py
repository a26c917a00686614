"""The REST API of one function: routes, the response to every error, and one log line for each request.

Powertools routes. Its validation and Depends are not used: it validates before anything can authenticate,
takes the first object of an array for the body, and resolves type hints anew for each request.
"""

import logging
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Never

from webhooks.domain.errors import NotFoundError
from webhooks.domain.json_text import write_json
from webhooks.entrypoints.api import errors
from webhooks.entrypoints.api.powertools import (
    APIGatewayRestResolver,
    NoRouteError,
    Response,
    content_types,
)
from webhooks.entrypoints.api.request import ApiRequest
from webhooks.entrypoints.invocation import Invocation
from webhooks.logging import METRICS
from webhooks.metrics import metrics, not_zero
from webhooks.ports import Clock

REQUEST_ID = "x-request-id"
NAMED = re.compile(r"<\w+>")
CLIENT_ERROR, SERVER_ERROR = 400, 500

# Answers a request; the path's `<name>`s are keyword arguments.
type Handler = Callable[..., Response[str]]

logger = logging.getLogger(METRICS)


class RestApi(APIGatewayRestResolver):
    """Routes of one function: a path has a 405 for the methods that it lacks, every other path is a 404.

    `paths`: the methods of each path. A handler's first argument is the request, which Powertools' context
    carries to it; the context is cleared after each request.
    """

    def __init__(
        self,
        invocation: Invocation,
        *,
        timer: Clock = time.perf_counter,
    ) -> None:
        super().__init__(debug=False)
        self._invocation = invocation
        self._timer = timer
        self.paths: dict[str, list[str]] = {}
        self.exception_handler(Exception)(errors.error_response)
        self.not_found(self._refuse)

    def route(self, rule: str, method: Any, *args: Any, **kwargs: Any) -> Callable[[Any], Any]:
        """Register a route; `rule` is a path with `<name>`s, in which a dot is a dot."""
        rule = rule.replace(".", r"\.")
        self.paths.setdefault(rule, []).append(method)
        register = super().route(rule, method, *args, **kwargs)

        def register_handler(handler: Handler) -> Handler:
            register(lambda **path: handler(self.context["request"], **path))
            return handler

        return register_handler

    def handle(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        """Answer one request."""
        started = self._timer()
        self._invocation.begin(context)
        request = ApiRequest.of(event)
        self.context["request"] = request
        response = self.resolve({**event, "path": request.path}, context)
        response["multiValueHeaders"][REQUEST_ID] = [request.id]
        latency_ms = round((self._timer() - started) * 1000, 3)
        self._report(request, int(response["statusCode"]), latency_ms=latency_ms)
        return response

    def _refuse(self, _: NoRouteError) -> Never:
        request: ApiRequest = self.context["request"]
        for rule, methods in self.paths.items():
            if request.method not in methods and re.fullmatch(f"{NAMED.sub('[^/]+', rule)}/*", request.path):
                raise errors.MethodNotAllowedError(", ".join(methods))
        raise NotFoundError("there is nothing at this path; /docs and /openapi.json list the paths")

    def _report(self, request: ApiRequest, status: int, *, latency_ms: float) -> None:
        fields = {
            "method": request.method,
            "route": request.resource,
            "status": status,
            "latency_ms": latency_ms,
            "request_id": request.id,
            **request.log_fields,
        }
        # API Gateway counts requests, latency and errors of the whole API; these two are each function's.
        counts = {
            "ClientErrors": int(CLIENT_ERROR <= status < SERVER_ERROR),
            "ServerErrors": int(status >= SERVER_ERROR),
        }
        logger.info("request.completed", extra={**fields, **metrics(not_zero(counts))})


def json_response(content: Any, *, headers: Mapping[str, str] | None = None) -> Response[str]:
    """Return a 200 with a JSON body: a text that is JSON already, or a value to write as JSON.

    It may not be cached unless `headers` say so.
    """
    text = content if isinstance(content, str) else write_json(content)
    return Response(
        200, content_types.APPLICATION_JSON, text, headers={"Cache-Control": "no-store", **(headers or {})}
    )


def accepted(content: Any) -> Response[str]:
    """Return a 202 with a JSON body: the work goes on after the response."""
    return Response(
        202, content_types.APPLICATION_JSON, write_json(content), headers={"Cache-Control": "no-store"}
    )


def no_content() -> Response[str]:
    """Return a 204."""
    return Response(204, body="")
