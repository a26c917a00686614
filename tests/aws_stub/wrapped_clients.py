"""AWS clients that are seen through a wrapper."""

import math
from collections.abc import Callable
from typing import Any

from webhooks.adapters.aws.clients import AwsClients


class WrappedClients(AwsClients):
    """Clients of another, each as `wrap` returns it."""

    def __init__(self, real: AwsClients, wrap: Callable[[Any], Any]) -> None:
        super().__init__(time_left=lambda: math.inf)
        self.real = real
        self.wrap = wrap

    @property
    def dynamodb(self) -> Any:
        return self.wrap(self.real.dynamodb)

    @property
    def secrets(self) -> Any:
        return self.wrap(self.real.secrets)

    @property
    def kms(self) -> Any:
        return self.wrap(self.real.kms)

    @property
    def sqs(self) -> Any:
        return self.wrap(self.real.sqs)
