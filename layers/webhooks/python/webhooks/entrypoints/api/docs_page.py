"""The /docs page: Swagger UI with the API's document, all in one page that loads nothing from elsewhere."""

import hashlib
from base64 import b64encode
from functools import cache
from importlib import resources

from aws_lambda_powertools.event_handler import Response, content_types

SWAGGER_UI = "aws_lambda_powertools.event_handler.openapi.swagger_ui"  # Powertools carries it

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Webhooks API</title>
<style>{style}</style>
</head>
<body>
<div id="swagger-ui"></div>
<script>{library}</script>
<script>{start}</script>
</body>
</html>
"""
START = """
const ui = SwaggerUIBundle({
  dom_id: "#swagger-ui", spec: DOCUMENT, deepLinking: true, docExpansion: "list", filter: true,
  validatorUrl: null, layout: "BaseLayout",
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIBundle.SwaggerUIStandalonePreset],
});
// The document's server is relative to the document, not to this page.
ui.specActions.updateUrl(new URL("openapi.json", window.location.href).href);
"""


def response(document: str) -> Response[str]:
    """Return the page. Its policy runs only its own scripts, and lets it call only this API."""
    page, policy = _page(document)
    headers = {"Cache-Control": "public, max-age=60", "Content-Security-Policy": policy}
    return Response(200, content_types.TEXT_HTML, page, headers=dict(headers))


@cache
def _page(document: str) -> tuple[str, str]:
    files = resources.files(SWAGGER_UI)
    library = (files / "swagger-ui-bundle.min.js").read_text(encoding="utf-8")
    style = (files / "swagger-ui.min.css").read_text(encoding="utf-8")
    # In a script, "</" could end it; JSON lets the slash be escaped.
    start = START.replace("DOCUMENT", document.replace("</", "<\\/"))
    page = PAGE.format(style=style, library=library, start=start)
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src {_hash(library)} {_hash(start)}",
            "style-src 'unsafe-inline'",  # Swagger UI sets styles on its elements
            "img-src data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
    return page, policy


def _hash(script: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
