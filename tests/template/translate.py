"""Translates a template as CloudFormation does with SAM's; runs in the environment that has SAM.

usage: python translate.py TEMPLATE <VARIANTS, where VARIANTS is a JSON array of
{"layers": names of layers with other content, "parameters": values other than the defaults}; prints an array.
"""

import copy
import json
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

from samcli.yamlhelper import yaml_parse
from samtranslator.public.translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform


class NoPolicies(ManagedPolicyLoader):  # type: ignore[misc]  # its base has no types here
    def __init__(self) -> None:
        super().__init__(iam_client=None)

    def load(self) -> dict[str, str]:
        return {}


def translate(template: dict[str, Any], layers: Collection[str], parameters: dict[str, str]) -> Any:
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::LayerVersion":
            resource["Properties"]["ContentUri"] = f"s3://bucket/{name}-{2 if name in layers else 1}"
    template["Globals"]["Function"]["CodeUri"] = "s3://bucket/code"
    defaults = {name: each["Default"] for name, each in template["Parameters"].items()}
    return transform(template, {**defaults, **parameters, "AWS::Region": "us-east-1"}, NoPolicies())


read = yaml_parse(Path(sys.argv[1]).read_text("utf-8"))
json.dump([translate(copy.deepcopy(read), **variant) for variant in json.load(sys.stdin)], sys.stdout)
