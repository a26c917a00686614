"""The URL under which a request reached this deployment: stage and custom domain as the caller sees them."""

from webhooks.entrypoints.api.request import ApiRequest


def public_url(request: ApiRequest) -> str:
    """Return the URL that the API's paths are appended to, without a final slash.

    On AWS the gateway names the domain, and the path in its context begins with a stage or a custom domain's
    base path. An emulator names no domain, and has a path prefix of its own.
    """
    context, headers = request.context, request.headers
    full_path = str(context.get("path") or request.path)
    prefix = full_path.removesuffix("/").removesuffix(request.path.removesuffix("/"))
    if domain := context.get("domainName"):
        return f"https://{domain}{prefix}"
    host, api_id = headers.get("host", "localhost"), str(context.get("apiId", ""))
    if not host.startswith(f"{api_id}.execute-api."):
        prefix = f"/_aws/execute-api/{api_id}/{context.get('stage', '')}"
    return f"{headers.get('x-forwarded-proto', 'http')}://{host}{prefix}"
