from collections.abc import Iterator

import pytest

from tests.contract.backends import BACKENDS, Backend, backend_named


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    with backend_named(request.param) as opened:
        yield opened
