"""A page of HTML in one file: it loads nothing, runs its own script alone, and calls this API alone."""

import hashlib
import re
from base64 import b64encode

from webhooks.entrypoints.api.powertools import Response, content_types
from webhooks.entrypoints.api.request import ApiRequest

# Elements whose text the policy names by its hash. JSON in a script of another type is not run.
STYLE = re.compile("<style>(.*?)</style>", re.DOTALL)
SCRIPT = re.compile("<script>(.*?)</script>", re.DOTALL)


class Page:
    """A page, its policy, and its content's hash as its ETag."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._etag = f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'
        self._policy = "; ".join(
            (
                "default-src 'none'",
                f"script-src {_hashes(SCRIPT, text)}",
                f"style-src {_hashes(STYLE, text)}",
                "img-src data:",
                "connect-src 'self'",
                "base-uri 'none'",
                "form-action 'none'",
                "frame-ancestors 'none'",
                "require-trusted-types-for 'script'",
                "trusted-types 'none'",
            )
        )

    def response(self, request: ApiRequest) -> Response[str]:
        """Return the page, or 304 to a browser that has it.

        Browsers ask each time whether it changed, so that a deployment replaces it at once.
        """
        headers: dict[str, str | list[str]] = {
            "Cache-Control": "no-cache",
            "ETag": self._etag,
            "Content-Security-Policy": self._policy,
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Opener-Policy": "same-origin",
        }
        if self._etag in request.headers.get("if-none-match", ""):
            return Response(304, body="", headers=headers)
        return Response(200, content_types.TEXT_HTML, self._text, headers=headers)


def _hashes(element: re.Pattern[str], page: str) -> str:
    return " ".join(_hash(text) for text in element.findall(page))


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
