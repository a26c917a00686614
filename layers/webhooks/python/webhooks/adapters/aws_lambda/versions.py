"""Published versions of the functions, invoked with a probe."""

import json
from collections.abc import Mapping

from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.aws.errors import unavailable
from webhooks.domain.errors import UnavailableError
from webhooks.ports.releases import NewVersion

EVENT = json.dumps({"releaseProbe": True})
KNOWN = 200  # characters of a function's own error


class LambdaVersions:
    """Versions by their function's name and their number."""

    def __init__(self, aws: AwsClients) -> None:
        self._aws = aws

    def probe(self, version: NewVersion) -> Mapping[str, str]:
        """Invoke a version; return what failed in it. Raises UnavailableError where it gave no answer."""
        with unavailable("lambda Invoke"):
            response = self._aws.functions.invoke(
                FunctionName=version.function, Qualifier=version.version, Payload=EVENT
            )
            text = response["Payload"].read()
        if "FunctionError" in response:
            raise UnavailableError(f"the function ended with an error: {_error_type(text)}")
        try:
            failed = json.loads(text)["failed"]
            return {str(name): str(reason) for name, reason in failed.items()}
        except (ValueError, KeyError, TypeError, AttributeError):
            raise UnavailableError("the function did not answer the probe") from None


def _error_type(text: bytes) -> str:
    """Return the class of a function's error, and the text of one of ours about its settings."""
    try:
        error = json.loads(text)
        kind = str(error["errorType"])
        said = f": {error['errorMessage']}" if kind.endswith("SettingsError") else ""
    except (ValueError, KeyError, TypeError):
        return "Unknown"
    return f"{kind}{said}"[:KNOWN]
