"""Rules as text: parsed with Python's grammar, checked against the vocabulary, never executed as code.

`crosses_above(ema(20), ema(50)) and close > ema(50)` becomes a tree of nodes, each of which knows whether it is a
number or a flag. `[-k]` looks k bars back; there is no way to write a look ahead. What is refused is refused with the
column at which it stands and, for a misspelt word, the nearest known one.
"""

import ast
import difflib
from dataclasses import dataclass
from typing import Any, Final, Literal, NoReturn

from algomatic_cli.core.errors import FileRefusedError
from algomatic_cli.core.probes.vocabulary import FIELDS, REQUIRED, WORDS, Parameter, Word

LONGEST: Final = 2000  # characters
LARGEST: Final = 250  # nodes
DEEPEST: Final = 40
LONGEST_WINDOW: Final = 1000  # bars
_ARITHMETIC: Final[dict[type[ast.operator], str]] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_COMPARISON: Final[dict[type[ast.cmpop], str]] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
_OPPOSITE: Final = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
_BUILT_IN: Final = {"abs": 1, "max": 2, "min": 2}

Gives = Literal["number", "flag"]


class RuleError(FileRefusedError):
    """A rule of a strategy cannot be understood."""

    def __init__(self, text: str, column: int, problem: str) -> None:
        self.column = column
        start = max(0, column - 1 - 30)
        shown = text[start : start + 60].replace("\n", " ")
        mark = " " * (column - 1 - start) + "^"
        super().__init__(
            f"{problem}, at column {column}:\n    {shown}\n    {mark}", next_step="algomatic probes list --words"
        )


@dataclass(frozen=True)
class Node:
    """One operation of a rule.

    Attributes:
        gives: whether it is a number or a flag.
        operation: "constant", "field", "call", "lookback", "and", "or", "not", or an operator's sign.
        inputs: the nodes it works on.
        extra: the constant, the field's name, the word called with its literal arguments, the bars looked back.
        key: the rule in normal form; two nodes with the same key have the same values.
    """

    gives: Gives
    operation: str
    inputs: tuple["Node", ...]
    extra: Any
    key: str


def parse(text: str, gives: Gives = "flag") -> Node:
    """A rule's text as a checked tree.

    Raises:
        RuleError: it is not a rule of the language, or not of the kind asked for.
    """
    if len(text) > LONGEST:
        raise RuleError(text[:60], 1, f"the rule is {len(text):,} characters long; {LONGEST:,} are allowed")
    text = " ".join(text.split())
    try:
        tree = ast.parse(text, mode="eval")
    except SyntaxError as error:
        raise RuleError(text, error.offset or len(text) + 1, f"this is not an expression ({error.msg})") from None
    except (RecursionError, MemoryError, ValueError):
        raise RuleError(text, 1, "the rule is nested too deeply") from None
    node = _Reader(text).read(tree.body, 0)
    if node.gives != gives:
        wanted = {"flag": "a condition (something true or false)", "number": "a number"}[gives]
        raise RuleError(text, 1, f"the rule must be {wanted}")
    return node


class _Reader:
    """Turns Python's tree into ours, node by node, refusing what is not on the list."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.nodes = 0

    def refuse(self, node: ast.expr, problem: str) -> NoReturn:
        raise RuleError(self.text, node.col_offset + 1, problem)

    def read(self, node: ast.expr, depth: int) -> Node:
        """One part of the rule, and all below it; refuses what the language does not have."""
        self.nodes += 1
        if self.nodes > LARGEST:
            self.refuse(node, f"the rule has more than {LARGEST} parts")
        if depth > DEEPEST:
            self.refuse(node, f"the rule is nested more than {DEEPEST} deep")
        match node:
            case ast.Constant():
                result = self._constant(node)
            case ast.Name():
                result = self._field(node)
            case ast.Call():
                result = self._call(node, depth)
            case ast.Subscript():
                result = self._lookback(node, depth)
            case ast.BinOp():
                result = self._arithmetic(node, depth)
            case ast.UnaryOp():
                result = self._unary(node, depth)
            case ast.Compare():
                result = self._comparison(node, depth)
            case ast.BoolOp():
                result = self._join(node, depth)
            case _:
                self.refuse(node, f"{_described(node)} is not part of the language")
        return result

    def want(self, node: ast.expr, gives: Gives, depth: int) -> Node:
        read = self.read(node, depth + 1)
        if read.gives != gives:
            self.refuse(
                node, {"number": "a number is needed here, not a condition"}.get(gives, "a condition is needed here")
            )
        return read

    def _constant(self, node: ast.Constant) -> Node:
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.refuse(node, f"{value!r} is not a number")
        if not abs(value) < 1e12:
            self.refuse(node, "the number is too large")
        return constant(float(value))

    def _field(self, node: ast.Name) -> Node:
        if node.id in FIELDS:
            return _field(node.id)
        if node.id in WORDS or node.id in _BUILT_IN:
            signature = WORDS[node.id].signature if node.id in WORDS else f"{node.id}(…)"
            problem = f"'{node.id}' is a function: write {signature}"
        else:
            problem = f"unknown name '{node.id}'{_nearest(node.id)}"
        return self.refuse(node, problem)

    def _lookback(self, node: ast.Subscript, depth: int) -> Node:
        index = node.slice
        bars = _bars_back(index)
        if bars is None and isinstance(index, ast.Constant | ast.UnaryOp):
            self.refuse(
                index, f"[{ast.unparse(index)}] looks ahead: a rule sees this bar and earlier ones, as close[-1]"
            )
        if not isinstance(bars, int):
            self.refuse(index, "a look back is a whole number of bars, as in close[-1]")
        if bars > LONGEST_WINDOW:
            self.refuse(index, f"a look back reaches at most {LONGEST_WINDOW} bars")
        value = self.read(node.value, depth + 1)
        if bars == 0:
            return value
        key = f"{value.key}[-{bars}]" if value.operation in ("field", "call") else f"({value.key})[-{bars}]"
        return Node(value.gives, "lookback", (value,), bars, key)

    def _arithmetic(self, node: ast.BinOp, depth: int) -> Node:
        sign = _ARITHMETIC.get(type(node.op))
        if sign is None:
            self.refuse(node, "this operator is not part of the language; + - * / are")
        return _binary("number", sign, self.want(node.left, "number", depth), self.want(node.right, "number", depth))

    def _unary(self, node: ast.UnaryOp, depth: int) -> Node:
        if isinstance(node.op, ast.Not):
            return negated(self.want(node.operand, "flag", depth))
        if not isinstance(node.op, ast.USub | ast.UAdd):
            self.refuse(node, "'~' is not part of the language; 'not' is")
        value = self.want(node.operand, "number", depth)
        if isinstance(node.op, ast.UAdd):
            return value
        if value.operation == "constant":
            return constant(-value.extra)
        return Node("number", "negative", (value,), None, f"-({value.key})")

    def _comparison(self, node: ast.Compare, depth: int) -> Node:
        sides = [self.want(side, "number", depth) for side in (node.left, *node.comparators)]
        parts = []
        for left, operator, right in zip(sides, node.ops, sides[1:], strict=False):
            sign = _COMPARISON.get(type(operator))
            if sign is None:
                self.refuse(node, "'in' and 'is' are not part of the language; < <= > >= == != are")
            parts.append(_binary("flag", sign, left, right))
        return parts[0] if len(parts) == 1 else _joined("and", parts)

    def _join(self, node: ast.BoolOp, depth: int) -> Node:
        word = "and" if isinstance(node.op, ast.And) else "or"
        return _joined(word, [self.want(value, "flag", depth) for value in node.values])

    def _call(self, node: ast.Call, depth: int) -> Node:
        if not isinstance(node.func, ast.Name):
            self.refuse(node.func, f"{_described(node.func)} cannot be called")
        name = node.func.id
        if node.keywords:
            self.refuse(node.keywords[0].value, "arguments are given by position")
        if name in _BUILT_IN:
            if len(node.args) != _BUILT_IN[name]:
                self.refuse(node, f"{name} takes {_BUILT_IN[name]} number(s), not {len(node.args)}")
            inputs = tuple(self.want(argument, "number", depth) for argument in node.args)
            return Node("number", name, inputs, None, f"{name}({', '.join(part.key for part in inputs)})")
        word = WORDS.get(name)
        if word is None:
            self.refuse(node.func, f"unknown indicator or predicate '{name}'{_nearest(name)}")
        return self._word(node, word, depth)

    def _word(self, node: ast.Call, word: Word, depth: int) -> Node:
        given = list(node.args)
        parameters = word.parameters
        inputs: list[Node] = []
        if word.on_close and len(given) == len(parameters) - 1:
            inputs.append(_field("close"))
            parameters = parameters[1:]
        fewest = sum(parameter.default is REQUIRED for parameter in parameters)
        if not fewest <= len(given) <= len(parameters):
            self.refuse(node, f"{word.name} is written {word.signature}; {len(given)} argument(s) were given")
        literals: list[float] = []
        for place, parameter in enumerate(parameters):
            if place >= len(given):
                literals.append(parameter.default)
            elif parameter.kind in ("number", "flag"):
                inputs.append(self.want(given[place], "flag" if parameter.kind == "flag" else "number", depth))
            else:
                literals.append(self._literal(given[place], parameter))
        shown = [part.key for part in inputs] + [f"{value:g}" for value in literals]
        return Node(word.gives, "call", tuple(inputs), (word, tuple(literals)), f"{word.name}({', '.join(shown)})")

    def _literal(self, node: ast.expr, parameter: Parameter) -> float:
        value: Any = node
        sign = 1
        if isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.USub):
            sign, value = -1, value.operand
        if not isinstance(value, ast.Constant):
            self.refuse(node, f"'{parameter.name}' is a plain number here, not an expression")
        number = self._constant(value).extra * sign
        if parameter.kind == "constant":
            return float(number)
        if number != int(number) or not 1 <= number <= LONGEST_WINDOW:
            self.refuse(node, f"'{parameter.name}' is a whole number from 1 to {LONGEST_WINDOW}")
        return int(number)


def constant(value: float) -> Node:
    """A number as a node."""
    return Node("number", "constant", (), value, repr(value))


def _field(name: str) -> Node:
    return Node("number", "field", (), name, name)


def _bars_back(index: ast.expr) -> object:
    """The k of [-k] and 0 of [0]; None for what is neither; something else for a k that is not whole."""
    if isinstance(index, ast.UnaryOp) and isinstance(index.op, ast.USub) and isinstance(index.operand, ast.Constant):
        value = index.operand.value
        return str(value) if isinstance(value, bool) else value
    return 0 if isinstance(index, ast.Constant) and index.value == 0 and not isinstance(index.value, bool) else None


def _binary(gives: Gives, sign: str, left: Node, right: Node) -> Node:
    return Node(gives, sign, (left, right), None, f"({left.key} {sign} {right.key})")


def _joined(word: str, parts: list[Node]) -> Node:
    return Node("flag", word, tuple(parts), None, "(" + f" {word} ".join(part.key for part in parts) + ")")


def negated(node: Node) -> Node:
    """The contrary of a condition; like the condition, it is false where a number in it is missing."""
    if node.operation in _OPPOSITE:
        return _binary("flag", _OPPOSITE[node.operation], *node.inputs)
    if node.operation in ("and", "or"):
        return _joined("or" if node.operation == "and" else "and", [negated(part) for part in node.inputs])
    if node.operation == "not":
        return node.inputs[0]
    return Node("flag", "not", (node,), None, f"not {node.key}")


def _described(node: ast.expr) -> str:
    return {
        "BinOp": "an operator",
        "Attribute": "a dotted name",
        "Lambda": "a lambda",
        "IfExp": "if … else",
        "NamedExpr": "':='",
    }.get(type(node).__name__, type(node).__name__.lower())


def _nearest(name: str) -> str:
    close = difflib.get_close_matches(name.lower(), [*FIELDS, *WORDS, *_BUILT_IN], n=1, cutoff=0.5)
    return f" (did you mean '{close[0]}'?)" if close else ""
