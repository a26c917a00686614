"""Translates a template as CloudFormation does with SAM's; runs in the environment that has SAM, prints JSON.

usage: python translate.py TEMPLATE [LAYER=VERSION ...], where another version stands for other content.
"""

import json
import sys
from pathlib import Path

from samcli.yamlhelper import yaml_parse
from samtranslator.public.translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform


class NoPolicies(ManagedPolicyLoader):
    def __init__(self):
        super().__init__(iam_client=None)

    def load(self):
        return {}


template = yaml_parse(Path(sys.argv[1]).read_text("utf-8"))
contents = dict(argument.split("=") for argument in sys.argv[2:])
for name, resource in template["Resources"].items():
    if resource["Type"] == "AWS::Serverless::LayerVersion":
        resource["Properties"]["ContentUri"] = f"s3://bucket/{name}-{contents.get(name, '1')}"
template["Globals"]["Function"]["CodeUri"] = "s3://bucket/code"
defaults = {name: each["Default"] for name, each in template["Parameters"].items()}
sys.stdout.write(json.dumps(transform(template, {**defaults, "AWS::Region": "us-east-1"}, NoPolicies())))
