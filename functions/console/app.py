"""functions/console: the console and the reference page. It reads its own files and calls nothing."""

from pathlib import Path

from webhooks.bootstrap.console import compose
from webhooks.bootstrap.runtime import invocation
from webhooks.entrypoints.api.page import Page
from webhooks.entrypoints.api.powertools import Response
from webhooks.entrypoints.api.request import ApiRequest
from webhooks.entrypoints.api.resolver import RestApi
from webhooks.entrypoints.probe import probed

HERE = Path(__file__).parent


def routes() -> RestApi:
    """Return the pages; `make pages` builds their files."""
    api = RestApi(invocation)
    console = Page((HERE / "console.html").read_text("utf-8"))
    reference = Page((HERE / "docs.html").read_text("utf-8"))

    @api.get("/console")
    def show_console(request: ApiRequest) -> Response[str]:
        return console.response(request)

    @api.get("/docs")
    def show_reference(request: ApiRequest) -> Response[str]:
        return reference.response(request)

    return api


compose()
lambda_handler = probed(routes().handle, {}, invocation)
