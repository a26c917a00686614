"""The metric math that the template's alarms use: SUM, MAX, FILL, IF, METRICS and arithmetic, on one period."""

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

type Value = float | None  # None: the metric has no data in the period
type Known = Mapping[str, Value]  # by the id in the alarm

BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
TAKEN: dict[str, Callable[[list[float]], float]] = {"SUM": sum, "MAX": max, "MIN": min}
COMPARED: dict[type, Callable[[Any, Any], bool]] = {
    ast.GtE: operator.ge,
    ast.Gt: operator.gt,
    ast.LtE: operator.le,
    ast.Lt: operator.lt,
}


def evaluate(expression: str, known: Known) -> Value:
    """Return an expression's value; None without data. Raises ValueError for math that no alarm used before."""
    value = _value(ast.parse(expression, mode="eval").body, known)
    if isinstance(value, list):
        raise ValueError(f"{expression}: several series, not one")  # noqa: TRY004 - of the text, not its type
    return None if value is None else float(value)


def _value(node: ast.expr, known: Known) -> Any:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name) if name in known:
            return known[name]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY:
            return _both(BINARY[type(op)], _value(left, known), _value(right, known))
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in COMPARED:
            return _both(COMPARED[type(op)], _value(left, known), _value(right, known))
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return _call(name, arguments, known)
    raise ValueError(f"unknown metric math: {ast.unparse(node)}")


def _call(name: str, arguments: list[ast.expr], known: Known) -> Any:
    values = [_value(each, known) for each in arguments]
    match name, values:
        case "METRICS", []:
            return list(known.values())
        case "FILL", [series, filling]:
            filled = [filling if each is None else each for each in _listed(series)]
            return filled if isinstance(series, list) else filled[0]
        case (("SUM" | "MAX" | "MIN"), [series]):
            present = [each for each in _listed(series) if each is not None]
            return TAKEN[name](present) if present else None
        case "IF", [condition, first, second]:
            return None if condition is None else first if condition else second
    raise ValueError(f"unknown metric math: {name} of {len(values)}")


def _both(apply: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    if left is None or right is None:
        return None
    try:
        return apply(left, right)
    except ZeroDivisionError:  # CloudWatch has no datapoint then
        return None


def _listed(value: Any) -> list[Value]:
    return value if isinstance(value, list) else [value]
