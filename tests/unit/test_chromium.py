"""Chromium for the tests is found, or installed, or its absence is an error: on machines of every kind."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tools.pages import chromium
from tools.pages.chromium import ChromiumError, Machine

APT = "apt-get install -y --no-install-recommends chromium fonts-dejavu-core fonts-liberation"
PLAYWRIGHT = f"{sys.executable} -m playwright install chromium"


@dataclass
class Fake:
    """A machine with programs on its PATH. A command puts there what it `brings`, and fails if it is not known."""

    folder: Path
    programs: list[str] = field(default_factory=list)
    uid: int = 0
    brings: dict[str, Callable[[], None]] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    faults: str | None = None  # of each start

    def has(self, *names: str) -> None:
        self.programs.extend(names)

    def has_own(self) -> None:
        self.own.touch()

    @property
    def own(self) -> Path:
        return self.folder / "playwright-chromium"

    def which(self, name: str) -> str | None:
        return next((each for each in self.programs if each.rpartition("/")[2] == name), None)

    def run(self, command: Sequence[str]) -> str | None:
        text = " ".join(command)
        self.ran.append(text)
        if text.endswith("--version"):
            return self.faults
        if text not in self.brings:
            return f"E: {text} fails here"
        self.brings[text]()
        return None

    def machine(self) -> Machine:
        return Machine(which=self.which, uid=lambda: self.uid, run=self.run, own=lambda: self.own)


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    return Fake(tmp_path)


def said(fake: Fake) -> tuple[Path, list[str]]:
    lines: list[str] = []
    return chromium.install(fake.machine(), lines.append), lines


@pytest.mark.parametrize("path", ["/usr/bin/chromium", "/usr/bin/google-chrome", "/opt/google-chrome-stable"])
def test_one_on_the_path_is_taken_and_nothing_installed(fake: Fake, path: str) -> None:
    fake.has(path, "/usr/bin/apt-get")

    assert said(fake) == (Path(path), [])
    assert fake.ran == [f"{path} --version"]


def test_debians_comes_first_and_playwrights_own_last(fake: Fake) -> None:
    fake.has_own()
    assert chromium.find(fake.machine()) == fake.own

    fake.has("/usr/bin/google-chrome", "/usr/bin/chromium")
    assert chromium.find(fake.machine()) == Path("/usr/bin/chromium")


def test_a_snap_is_not_taken(fake: Fake) -> None:
    fake.has("/snap/bin/chromium")

    assert chromium.find(fake.machine()) is None


def test_root_gets_debians_package_with_fonts(fake: Fake) -> None:
    fake.has("/usr/bin/apt-get")
    fake.brings = {"apt-get update": lambda: None, APT: lambda: fake.has("/usr/bin/chromium")}

    assert said(fake) == (Path("/usr/bin/chromium"), ["== install Chromium: Debian's package"])


def test_a_mirror_that_does_not_answer_stops_nothing(fake: Fake) -> None:
    fake.has("/usr/bin/apt-get")
    fake.brings = {APT: lambda: fake.has("/usr/bin/chromium")}

    assert said(fake)[0] == Path("/usr/bin/chromium")


def test_root_gets_playwrights_where_the_package_does_not_exist(fake: Fake) -> None:
    fake.has("/usr/bin/apt-get")
    fake.brings = {PLAYWRIGHT.replace("install", "install --with-deps"): fake.has_own}

    path, lines = said(fake)

    assert path == fake.own
    assert lines == ["== install Chromium: Debian's package", "== install Chromium: Playwright's"]


def test_a_package_without_chromium_is_not_taken_for_one(fake: Fake) -> None:
    """Ubuntu's can be an empty one."""
    fake.has("/usr/bin/apt-get")
    fake.brings = {APT: lambda: None}

    with pytest.raises(ChromiumError, match="it installed no Chromium"):
        said(fake)


@pytest.mark.parametrize(("uid", "program"), [(1000, "/usr/bin/apt-get"), (0, "/usr/bin/dnf")])
def test_others_get_playwrights(fake: Fake, uid: int, program: str) -> None:
    fake.uid = uid
    fake.has(program)
    fake.brings = {PLAYWRIGHT: fake.has_own}

    assert said(fake) == (fake.own, ["== install Chromium: Playwright's"])
    assert fake.ran[0] == PLAYWRIGHT


def test_where_each_way_fails_the_error_names_both_and_the_remedy(fake: Fake) -> None:
    fake.has("/usr/bin/apt-get")

    with pytest.raises(ChromiumError) as raised:
        said(fake)

    assert f"E: {APT} fails here" in str(raised.value)
    assert "playwright install --with-deps chromium fails here" in str(raised.value)
    assert "by hand" in str(raised.value)


def test_one_that_does_not_start_is_an_error_with_the_remedy(fake: Fake) -> None:
    """Playwright's own needs libraries that only root can install."""
    fake.uid = 1000
    fake.has("/usr/bin/apt-get")
    fake.has_own()
    fake.faults = "error while loading shared libraries: libnss3.so"

    with pytest.raises(ChromiumError, match=r"(?s)As root, `apt-get install chromium`.*libnss3"):
        said(fake)


def test_a_test_without_chromium_fails_and_says_how_to_get_it(fake: Fake) -> None:
    with pytest.raises(ChromiumError, match="`make browser` installs it"):
        chromium.require(fake.machine())


def test_this_machine_has_one() -> None:
    assert chromium.require().exists()
