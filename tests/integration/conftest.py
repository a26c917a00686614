"""A receiver on loopback, and the client that sends to it."""

from collections.abc import Iterator

import pytest

from tests.calls import EndpointClient, calling
from tests.receiver import Receiver


@pytest.fixture
def endpoint() -> Iterator[EndpointClient]:
    with calling() as endpoint:
        yield endpoint


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver
