"""The router of Powertools, without all else that its packages import.

Three packages import, for one of their modules, a logger, all kinds of events, zipfile and asyncio: a sixth
of a function's init. Here they stand empty while the router is imported, and are forgotten afterwards: who
imports one of them later gets the whole.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any, Final

_POWERTOOLS: Final = "aws_lambda_powertools"
_EVENTS: Final = f"{_POWERTOOLS}.utilities.data_classes"
# The events that the router's module names, each with the module that has it.
_EVENTS_OF: Final = {
    "ALBEvent": "alb_event",
    "APIGatewayProxyEvent": "api_gateway_proxy_event",
    "APIGatewayProxyEventV2": "api_gateway_proxy_event",
    "BedrockAgentEvent": "bedrock_agent_event",
    "LambdaFunctionUrlEvent": "lambda_function_url_event",
    "VPCLatticeEvent": "vpc_lattice",
    "VPCLatticeEventV2": "vpc_lattice",
}


@contextmanager
def _empty_packages() -> Iterator[None]:
    empty = dict(_empty(name) for name in (_POWERTOOLS, f"{_POWERTOOLS}.event_handler", _EVENTS))
    try:
        yield
    finally:
        for name, package in empty.items():
            if package is not None:
                del sys.modules[name]


def _empty(name: str) -> tuple[str, ModuleType | None]:
    """Put a package into the list of modules without running it; None where it was imported before."""
    spec = None if name in sys.modules else find_spec(name)
    if spec is None:
        return name, None
    package = sys.modules[name] = module_from_spec(spec)
    if name == _EVENTS:
        package.__getattr__ = _event  # type: ignore[method-assign]  # PEP 562
    return name, package


def _event(name: str) -> Any:
    if name not in _EVENTS_OF:
        raise AttributeError(name)
    return getattr(import_module(f"{_EVENTS}.{_EVENTS_OF[name]}"), name)


with _empty_packages():
    from aws_lambda_powertools.event_handler import content_types
    from aws_lambda_powertools.event_handler.api_gateway import APIGatewayRestResolver, Response
    from aws_lambda_powertools.event_handler.exceptions import NotFoundError as NoRouteError

__all__ = ["APIGatewayRestResolver", "NoRouteError", "Response", "content_types"]
