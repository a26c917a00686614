import pytest

from tests.unit.cli.command_line import CommandLine


@pytest.fixture
def webhooks(tmp_path):
    return CommandLine(tmp_path)
