"""The built artefacts of both architectures: the same bytes twice, sizes, machine code, a call of each."""

import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tools.artefacts.build import own_architecture
from tools.gates import invocations, machine_code, sizes
from tools.gates.gate import GateError
from tools.gates.template import TEMPLATE, translate
from tools.release import assets
from tools.release.versions import project_version


def check() -> str:
    """Return a line for each check. Raises GateError with all findings."""
    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor(1) as pool:
        first, second = Path(temporary, "first"), Path(temporary, "second")
        builds = assets.make(first, project_version())
        again = pool.submit(assets.make, second, project_version())
        checks: list[Callable[[], str]] = [
            partial(invocations.check, builds[own_architecture()], translate(TEMPLATE))
        ]
        for build in builds.values():
            checks += [partial(machine_code.check, build), partial(sizes.check, build, assets.zipped(build))]
        lines, findings = [], []
        for each in checks:
            try:
                lines.append(each())
            except GateError as error:
                findings.append(str(error))
        again.result()
        digests = assets.digests(first / "assets")
        different = assets.differences(digests, assets.digests(second / "assets"))
    if different:
        findings.append(f"two builds of the same sources differ: {', '.join(different)}")
    else:
        lines.append(f"the {len(digests)} files of a release have the same bytes in a second build")
    if findings:
        raise GateError("\n".join(findings))
    return "\n".join(lines)
