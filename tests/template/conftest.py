import pytest

from tests.template.template import Template, translate


@pytest.fixture(scope="session")
def template() -> Template:
    return translate()
