"""The arithmetic of a question's template: a small language of numbers, read with ast, never eval.

Numbers, tuples and grids (tuples of rows); + − * / // % **, comparisons, and, or, not, `a if c
else b`, indexing, and the functions of FUNCTIONS. No attributes, no other names, no loops.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

LONGEST = 400
MOST_NODES = 200
LARGEST = 1e15
MOST_CELLS = 1_000
DEEPEST = 4
MOST_STEPS = 300_000
"""A step is an operation, or a cell that a function goes over: about a tenth of a second in all."""

Value = Any
"""int, float, bool, str, or a tuple of values."""


class BadExpression(ValueError):
    """A sentence for the author: what is wrong with an expression, and the text that it is in."""

    def __init__(self, message: str, text: str = "") -> None:
        super().__init__(message)
        self.text = text


class Steps:
    """What may still be computed."""

    def __init__(self, most: int = MOST_STEPS) -> None:
        self.most, self.left = most, most

    def take(self, count: int) -> None:
        """Raises BadExpression where no more may be computed."""
        self.left -= count
        if self.left < 0:
            raise BadExpression(
                f"all draws of a question together may take {self.most:,} steps to compute, and "
                "here they are used up; take smaller grids, or a `where` that holds more often"
            )


_shared: ContextVar[Steps | None] = ContextVar("steps", default=None)


@contextmanager
def one_budget() -> Iterator[None]:
    """All that is computed inside shares one budget of steps, that of a question."""
    if _shared.get():
        yield
        return
    token = _shared.set(Steps())
    try:
        yield
    finally:
        _shared.reset(token)


def spend(count: int = 1) -> None:
    """Take steps from the question's budget. Raises BadExpression."""
    (_shared.get() or Steps()).take(count)


def dot(one: Value, other: Value) -> float:
    """Σ of the products, cell by cell; for rows and for grids."""
    if isinstance(one, tuple):
        if not isinstance(other, tuple) or len(one) != len(other):
            raise BadExpression("dot() needs two grids of the same shape")
        return float(sum(dot(a, b) for a, b in zip(one, other, strict=True)))
    return float(_number(one) * _number(other))


def window(grid: Value, row: int, column: int, height: int, width: int) -> Value:
    """The part of a grid whose upper left cell is (row, column), both counted from 0."""
    if not (0 <= row <= len(grid) - height and 0 <= column <= len(grid[0]) - width):
        raise BadExpression("window() reaches over the grid's edge")
    return tuple(line[column : column + width] for line in grid[row : row + height])


def flip(grid: Value) -> Value:
    """A grid turned by 180°: what makes a correlation a convolution."""
    return tuple(tuple(reversed(row)) for row in reversed(grid))


def transpose(grid: Value) -> Value:
    return tuple(zip(*grid, strict=True))


def _flat(values: tuple[Value, ...]) -> list[float]:
    found: list[float] = []
    for value in values:
        found += _flat(value) if isinstance(value, tuple) else [_number(value)]
    return found


def _product(found: list[float]) -> float:
    result: float = 1
    for value in found:
        result = bounded(result * value)
    return result


def _over(function: Callable[[list[float]], Value]) -> Callable[..., Value]:
    """A function of all the numbers in its arguments, however they are nested."""
    return lambda *values: function(_flat(values))


def _round(value: Value, digits: int = 0) -> Value:
    if abs(_number(digits)) > 15:
        raise BadExpression("round() takes from -15 to 15 digits")
    return round(_number(value), digits) if digits else round(_number(value))


FUNCTIONS: Mapping[str, Callable[..., Value]] = {
    "abs": abs,
    "ceil": math.ceil,
    "dot": dot,
    "exp": math.exp,
    "flip": flip,
    "floor": math.floor,
    "log": math.log,
    "max": _over(max),
    "mean": _over(lambda found: sum(found) / len(found)),
    "min": _over(min),
    "product": _over(_product),
    "relu": lambda value: max(0, value),
    "round": _round,
    "sqrt": math.sqrt,
    "sum": _over(sum),
    "transpose": transpose,
    "window": window,
}
OPERATORS: Mapping[type[ast.AST], Callable[..., Value]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def evaluate(text: str, names: Mapping[str, Value]) -> Value:
    """What an expression comes to. Raises BadExpression, and nothing else."""
    text = text.strip()
    try:
        return _Computer(names, _shared.get() or Steps()).value(_parsed(text))
    except BadExpression as fault:
        raise BadExpression(f"“{text}”: {fault}", text) from None
    except ZeroDivisionError:
        raise BadExpression(f"“{text}” divides by zero", text) from None
    except (ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as fault:
        raise BadExpression(f"“{text}” cannot be computed ({fault})", text) from None


@lru_cache(maxsize=256)
def _parsed(text: str) -> ast.expr:
    if len(text) > LONGEST:
        raise BadExpression(f"it is longer than {LONGEST} characters")
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise BadExpression(
            "it is no expression; write one such as (n + 2*p - k) // s + 1"
        ) from None
    if sum(1 for _ in ast.walk(tree)) > MOST_NODES:
        raise BadExpression("it is too long; make two of it under `let`")
    return tree.body


@dataclass(frozen=True)
class _Computer:
    """Computes the nodes of an expression, and counts the steps."""

    names: Mapping[str, Value]
    steps: Steps

    def value(self, node: ast.expr) -> Value:
        self.steps.take(1)
        match node:
            case ast.Constant(value=int() | float() | str() as value):
                return bounded(value)
            case ast.Name(id=name):
                if name not in self.names:
                    known = ", ".join(self.names)
                    raise BadExpression(f"there is no “{name}” here; known are {known}")
                return self.names[name]
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                return bounded(self.cells([self.value(part) for part in parts]))
            case ast.UnaryOp(op=op, operand=inner) if type(op) in OPERATORS:
                return OPERATORS[type(op)](self.value(inner))
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return _power(self.value(left), self.value(right))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
                sides = _number(self.value(left)), _number(self.value(right))
                return bounded(OPERATORS[type(op)](*sides))
            case ast.Compare():
                return self.compared(node)
            case ast.BoolOp(op=op, values=parts):
                test = all if isinstance(op, ast.And) else any
                return test(self.value(part) for part in parts)
            case ast.IfExp(test=test_, body=body, orelse=other):
                return self.value(body if self.value(test_) else other)
            case ast.Subscript(value=inner, slice=index):
                return self.value(inner)[self.value(index)]
            case ast.Call(func=ast.Name(id=name), args=given, keywords=[]) if name in FUNCTIONS:
                return bounded(FUNCTIONS[name](*self.cells([self.value(arg) for arg in given])))
        raise BadExpression(f"“{ast.unparse(node)}” is not part of this small language")

    def cells(self, values: list[Value]) -> tuple[Value, ...]:
        """The values, as many steps as they have cells."""
        for value in values:
            self.steps.take(_size(value))
        return tuple(values)

    def compared(self, node: ast.Compare) -> bool:
        sides = self.cells([self.value(side) for side in (node.left, *node.comparators)])
        for op, left, right in zip(node.ops, sides, sides[1:], strict=False):
            if type(op) not in OPERATORS:
                raise BadExpression("only ==, !=, <, <=, > and >= compare")
            if not OPERATORS[type(op)](left, right):
                return False
        return True


def _power(base: Value, exponent: Value) -> Value:
    if abs(_number(exponent)) > 64 or abs(_number(base)) > 1e6:
        raise BadExpression("a power may have a base up to a million and an exponent up to 64")
    result = base**exponent
    if isinstance(result, complex):
        raise BadExpression("the root of a negative number is not real")
    return bounded(result)


def _number(value: Value) -> Any:
    if isinstance(value, int | float):
        return value
    raise BadExpression("a number is needed here, not a grid or a text")


def bounded(value: Value) -> Value:
    """The value as it is. Raises BadExpression where it is too large to go on with."""
    if isinstance(value, int | float) and not abs(value) <= LARGEST:
        raise BadExpression("the number is too large")
    if _size(value) > MOST_CELLS:
        raise BadExpression(f"a grid may have {MOST_CELLS:,} cells")
    return value


def _size(value: Value, depth: int = 0) -> int:
    if not isinstance(value, tuple):
        return 1
    if depth == DEEPEST:
        raise BadExpression(f"grids may stand in one another {DEEPEST} deep")
    return 1 + sum(_size(part, depth + 1) for part in value)
