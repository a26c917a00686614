"""Settings of every test."""

import pytest
from hypothesis import settings

# An example may take its time on a busy machine: no time is a test.
settings.register_profile("webhooks", deadline=None)
settings.load_profile("webhooks")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run a test that fails in Chromium, or on a stack, once more: a busy machine's timing is no fault.

    The report names each such test.
    """
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()) or "e2e" in item.path.parts:
            item.add_marker(pytest.mark.flaky(reruns=1))
