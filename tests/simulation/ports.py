"""The ports of a simulated container: at each call others run, and a fault can happen."""

from collections.abc import Callable
from typing import Any, Protocol

from tests.simulation.deployment import Deployment

LOCAL = ("credentials.known",)  # of a cache: no call of AWS, and no fault


class PortCaller(Protocol):
    """Makes a call of a port: at its time, and with its faults."""

    def __call__(self, name: str, real: Callable[..., Any], /, *args: Any, **named: Any) -> Any:
        """Call `real`, which is known as `name`."""


class Port:
    """Stands before a fake; `name` is how faults know it."""

    def __init__(self, name: str, real: Any, *, call: PortCaller) -> None:
        self._name = name
        self._real = real
        self._call = call

    def __getattr__(self, method: str) -> Callable[..., Any]:
        real = getattr(self._real, method)
        if f"{self._name}.{method}" in LOCAL:
            return real  # type: ignore[no-any-return]
        return lambda *args, **named: self._call(f"{self._name}.{method}", real, *args, **named)


def port_of(deployment: Deployment, name: str, real: object) -> Any:
    """Return a port of a deployment's containers."""
    return Port(name, real, call=deployment.call)
