"""The router of Powertools comes without what its packages import besides, and without a trace of that."""

import subprocess
import sys

import pytest

ROUTED = """
import sys
from webhooks.entrypoints.api.powertools import APIGatewayRestResolver, Response
api = APIGatewayRestResolver()
api.get("/a/<name>")(lambda name: Response(200, "text/plain", name))
event = {"httpMethod": "GET", "path": "/a/b", "headers": {}, "requestContext": {}}
assert api.resolve(event, None)["body"] == "b"
"""
HEAVY = ("asyncio", "zipfile", "aws_lambda_powertools.logging", "aws_lambda_powertools.event_handler.appsync")


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_request_is_routed_without_the_rest_of_powertools() -> None:
    loaded = run(f"{ROUTED}\nprint(*sys.modules)").split()

    assert [each for each in HEAVY if each in loaded] == []


@pytest.mark.parametrize(
    "first", ["import aws_lambda_powertools.event_handler\n", ""], ids=["before", "after"]
)
def test_who_imports_powertools_itself_gets_the_whole_of_it(first: str) -> None:
    whole = """
from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver as whole, AppSyncResolver
from aws_lambda_powertools.utilities.data_classes import ALBEvent, S3Event
assert whole is APIGatewayRestResolver
"""
    run(first + ROUTED + whole)
