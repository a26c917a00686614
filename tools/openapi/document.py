"""Makes the OpenAPI 3.1 document."""

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from tools.openapi import callback, examples
from tools.openapi import responses as schemas
from tools.openapi.components import (
    ALIASES,
    DESCRIPTION,
    HEADERS,
    MESSAGES,
    PARAMETERS,
    SECURITY,
    TAGS,
)
from tools.openapi.health_operations import HEALTH_OPERATIONS
from tools.openapi.inputs import INPUTS
from tools.openapi.operations import OPERATIONS, Operation
from tools.openapi.outputs import description
from tools.openapi.replay_operations import REPLAY_OPERATIONS
from webhooks.entrypoints.api.errors import FIXED_TEXTS

API_VERSION = "1.00.11.02"  # of the Webhooks API specification
JSON = "application/json"
REF = "#/components/schemas/{model}"
UNHEALTHY = 503
ALL = (*OPERATIONS, *REPLAY_OPERATIONS, *HEALTH_OPERATIONS)


def make_document() -> dict[str, Any]:
    """Return the document, the same whenever it is made from the same code."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in ALL:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Webhooks API", "version": API_VERSION, "description": DESCRIPTION},
        "servers": [{"url": ".", "description": "where this document is"}],
        "tags": [{"name": tag, "description": text} for tag, text in TAGS.items()],
        "paths": paths,
        "webhooks": callback.callback(),
        "components": {
            "schemas": _schemas(),
            "parameters": PARAMETERS,
            "headers": HEADERS,
            "responses": {HTTPStatus(status).name: _error(status) for status in MESSAGES},
            "securitySchemes": SECURITY,
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    content: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
    }
    if operation.text:
        content["description"] = operation.text
    if operation.signed:
        content["security"] = [{name: [] for name in SECURITY}]  # one requirement: all three together
    if operation.parameters:
        content["parameters"] = [{"$ref": f"#/components/parameters/{name}"} for name in operation.parameters]
    if operation.body:
        content["requestBody"] = {
            "required": operation.body_required,
            "content": {
                JSON: {
                    "schema": _ref(operation.body),
                    "examples": {name: {"value": value} for name, value in operation.bodies.items()},
                }
            },
        }
    content["responses"] = _successes(operation) | {
        str(status): {"$ref": f"#/components/responses/{HTTPStatus(status).name}"}
        for status in sorted(operation.errors)
    }
    if operation.response is schemas.HealthOut:
        content["responses"][str(UNHEALTHY)] = _unhealthy()
    return content


def _successes(operation: Operation) -> dict[str, Any]:
    others = (
        replace(operation, status=status, response=model, example=example)
        for status, (model, example) in operation.other.items()
    )
    return {str(each.status): _success(each) for each in (*others, operation)}


def _success(operation: Operation) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": HTTPStatus(operation.status).phrase,
        "headers": {"x-request-id": {"$ref": "#/components/headers/x-request-id"}},
    }
    if isinstance(operation.response, str):
        response["content"] = {operation.response: {"schema": {"type": "string"}}}
    elif operation.response is not None:
        schema = operation.response if isinstance(operation.response, Mapping) else _ref(operation.response)
        shown = {} if operation.example is None else {"example": operation.example}
        response["content"] = {JSON: {"schema": schema, **shown}}
    return response


def _unhealthy() -> dict[str, Any]:
    response = _error(UNHEALTHY)
    schema = {"anyOf": [_ref(schemas.HealthOut), _ref(schemas.ErrorOut)]}
    return {**response, "content": {JSON: {"schema": schema, "example": examples.UNHEALTHY}}}


def _error(status: int) -> dict[str, Any]:
    phrase = HTTPStatus(status).phrase
    message = FIXED_TEXTS.get(HTTPStatus(status), MESSAGES[status])
    headers = {"x-request-id": {"$ref": "#/components/headers/x-request-id"}}
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = {"$ref": "#/components/headers/Allow"}
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        headers["Retry-After"] = {"$ref": "#/components/headers/Retry-After"}
    example = {"statusCode": status, "error": phrase, "message": message}
    return {
        "description": phrase,
        "headers": headers,
        "content": {JSON: {"schema": _ref(schemas.ErrorOut), "example": example}},
    }


def _schemas() -> dict[str, Any]:
    bodies = [operation.body for operation in ALL if operation.body]
    given = [operation.response for operation in ALL if isinstance(operation.response, type)]
    given += [model for operation in ALL for model, _ in operation.other.values()]
    more: list[type[BaseModel]] = [schemas.ServiceKeyOut, schemas.ErrorOut]
    models = dict.fromkeys([*bodies, *given, *more])
    _, made = models_json_schema([(model, "validation") for model in models], ref_template=REF)
    found = {name: _clean(schema) for name, schema in sorted(made["$defs"].items())}
    for (name, alias, of), schema in ALIASES.items():
        _add_alias(found[name], alias, of=of, schema=schema)
    for name, texts in INPUTS.items():
        for field, schema in found[name]["properties"].items():
            schema["description"] = texts[field]
    for name, body in found.items():
        if name not in INPUTS:
            _describe_response(name, body)
    return found | {"Callback": callback.BODY}


def _describe_response(name: str, body: dict[str, Any]) -> None:
    """Describe fields that have no description, and leave out defaults, which are for writing."""
    for field, schema in body.get("properties", {}).items():
        schema.pop("default", None)
        text = description(name, field)
        if text and "description" not in schema and "$ref" not in schema:
            schema["description"] = text


def _add_alias(body: dict[str, Any], alias: str, *, of: str, schema: Mapping[str, Any]) -> None:
    """Describe the other name of a field: where the field is required, one of the two is; never both."""
    body["properties"][alias] = dict(schema)
    if of in body.get("required", ()):
        body["required"].remove(of)
        body["oneOf"] = [{"required": [of]}, {"required": [alias]}]
        body["description"] += f" One of `{of}` and `{alias}` is required, not both."
    else:
        body["description"] += f" It has one of `{of}` and `{alias}` at most."
        body["not"] = {"required": [of, alias]}


def _clean(schema: Any) -> Any:
    """Leave out titles that repeat names, and empty defaults."""
    if isinstance(schema, list):
        return [_clean(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    schema = _nullable(schema)
    return {
        name: _clean(value)
        for name, value in schema.items()
        if not (name == "title" and isinstance(value, str)) and not (name == "default" and not value)
    }


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """Write "this type or null" in one schema instead of two, where it is no reference."""
    match schema:
        case {"anyOf": [{"type": str() | list() as kind} as given, {"type": "null"}]}:
            one = {name: value for name, value in given.items() if name != "const"}
            if "const" in given or "enum" in given:
                one["enum"] = [*given.get("enum", [given.get("const")]), None]
            more = {name: value for name, value in schema.items() if name != "anyOf"}
            return {**one, **more, "type": [*([kind] if isinstance(kind, str) else kind), "null"]}
    return schema


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": REF.format(model=model.__name__)}
