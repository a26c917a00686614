import pytest

from tests.package.installed import MINORS, Installed, interpreter, uv


@pytest.fixture(scope="module", params=MINORS, ids="3.{}".format)
def environment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    python = interpreter(request.param)
    if python is None:
        pytest.skip(f"no Python 3.{request.param} on this machine")
    folder, home = tmp_path_factory.mktemp("environment"), tmp_path_factory.mktemp("home")
    uv("venv", "--allow-existing", "--python", python, folder)
    return Installed(folder, home)
