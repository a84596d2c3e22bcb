"""From text to tree, by precedence climbing (https://hl7.org/fhirpath/N1/#grammar)."""

from decimal import Decimal

from ivfhir.expressions.fhirpath.lexer import END, Token, tokens_of
from ivfhir.expressions.fhirpath.place import PlacedError
from ivfhir.expressions.fhirpath.syntax import (
    Call,
    Empty,
    Index,
    Literal,
    Member,
    Operation,
    Sign,
    Special,
    Tree,
    TypeTest,
    Variable,
)
from ivfhir.expressions.values import Quantity
from ivfhir.expressions.values.dates import parse_date, parse_date_time, parse_time
from ivfhir.expressions.values.quantities import CALENDAR
from ivfhir.expressions.values.value import Value

MAX_DEPTH = 100
"""How deep expressions may lie inside one another, and how long a path may be."""
MAX_INTEGER = 2**31 - 1
PRECEDENCE = {
    "implies": 1,
    "or": 2,
    "xor": 2,
    "and": 3,
    "in": 4,
    "contains": 4,
    "=": 5,
    "~": 5,
    "!=": 5,
    "!~": 5,
    "<=": 6,
    "<": 6,
    ">": 6,
    ">=": 6,
    "|": 7,
    "is": 8,
    "as": 8,
    "+": 9,
    "-": 9,
    "&": 9,
    "*": 10,
    "/": 10,
    "div": 10,
    "mod": 10,
}
SIGN = 11
ASSOCIATIVE = frozenset({"and", "or", "|"})
NAMES = frozenset({"as", "contains", "in", "is"})
"""Operators that may be names of elements, too."""
KEYWORDS = frozenset(PRECEDENCE) - NAMES
SPECIALS = frozenset({"$this", "$index", "$total"})
DIRECTIONS = frozenset({"asc", "desc"})


def parse(text: str) -> Tree:
    """Return the tree of an expression.

    Raises:
        PlacedError: the text is no FHIRPath, or is nested too deep.
    """
    return _Parser(tokens_of(text)).whole()


class _Parser:
    """Reads words from left to right."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.next = 0
        self.depth = 0

    @property
    def token(self) -> Token:
        """The word that is to be read next."""
        return self.tokens[self.next]

    def whole(self) -> Tree:
        """Read all words."""
        tree = self.expression(0)
        if self.token.kind != END:
            raise self.unexpected("an operator, or the end")
        return tree

    def expression(self, least: int) -> Tree:
        """Read operands and the operators between them that bind at least so tightly."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise PlacedError(f"nested more than {MAX_DEPTH} deep; split it", self.token.at)
        left = self.operand()
        length = 0
        while True:
            token = self.token
            binds = PRECEDENCE.get(token.text, 0) if token.kind in ("sign", "name") else 0
            if not binds or binds <= least:
                break
            length += 1
            if length > MAX_DEPTH:
                raise PlacedError(f"more than {MAX_DEPTH} operators in a row; split it", token.at)
            self.next += 1
            left = self.operation(left, token, binds)
        self.depth -= 1
        return left

    def operation(self, left: Tree, token: Token, binds: int) -> Tree:
        """Read what stands right of an operator."""
        if token.text in ("is", "as"):
            return TypeTest(token.text, left, self.type_name(), token.at)
        operands = [left, self.expression(binds)]
        while token.text in ASSOCIATIVE and self.token.text == token.text and self.is_operator():
            self.next += 1
            operands.append(self.expression(binds))
        return Operation(token.text, tuple(operands), token.at)

    def is_operator(self) -> bool:
        """Return whether the next word can be an operator, not a string of that text."""
        return self.token.kind in ("sign", "name")

    def operand(self) -> Tree:
        """Read a term with its signs, steps and indices."""
        token = self.token
        if token.kind == "sign" and token.text in ("+", "-"):
            self.next += 1
            return Sign(token.text, self.signed(), token.at)
        tree = self.term()
        length = 0
        while self.token.kind == "sign" and self.token.text in (".", "["):
            length += 1
            if length > MAX_DEPTH:
                raise PlacedError(f"a path of more than {MAX_DEPTH} steps; split it", self.token.at)
            at = self.token.at
            self.next += 1
            if self.tokens[self.next - 1].text == ".":
                tree = self.invocation(tree)
            else:
                tree = Index(tree, self.expression(0), at)
                self.expect("]")
        return tree

    def signed(self) -> Tree:
        """Read what a sign stands before."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise PlacedError(f"nested more than {MAX_DEPTH} deep; split it", self.token.at)
        tree = self.operand()
        self.depth -= 1
        return tree

    def term(self) -> Tree:
        """Read a literal, a variable, a name, a call, or an expression in brackets."""
        token = self.token
        if token.kind in LITERALS:
            return self.literal(token)
        if token.kind == "special":
            return self.special(token)
        if token.kind in ("name", "quoted"):
            return self.named(token)
        if token.kind == "sign" and token.text in ("(", "{", "%"):
            self.next += 1
            return self.enclosed(token)
        raise self.unexpected("a value, a name or an expression in brackets")

    def named(self, token: Token) -> Tree:
        """Read a Boolean, an element's name or a call."""
        if token.kind == "name" and token.text in ("true", "false"):
            self.next += 1
            return Literal(token.text == "true", token.at)
        return self.invocation(None)

    def enclosed(self, token: Token) -> Tree:
        """Read what follows a bracket or a percent sign."""
        if token.text == "%":
            name = self.token
            if name.kind not in ("name", "quoted", "double", "string"):
                raise self.unexpected("the name of a variable after %")
            self.next += 1
            return Variable(name.text, token.at)
        if token.text == "{":
            self.expect("}")
            return Empty(token.at)
        tree = self.expression(0)
        self.expect(")")
        return tree

    def special(self, token: Token) -> Tree:
        """Read `$this`, `$index` or `$total`."""
        if token.text not in SPECIALS:
            raise PlacedError(f"there is no {token.text}: only $this, $index, $total", token.at)
        self.next += 1
        return Special(token.text, token.at)

    def literal(self, token: Token) -> Tree:
        """Read a literal; a number may have a unit."""
        self.next += 1
        if token.kind != "number":
            return Literal(_value_of(token), token.at)
        unit = self.token
        if unit.kind == "string":
            self.next += 1
            return Literal(Quantity(Decimal(token.text), unit.text or "1"), token.at)
        if unit.kind == "name" and unit.text in CALENDAR:
            self.next += 1
            return Literal(Quantity(Decimal(token.text), unit.text), token.at)
        return Literal(_value_of(token), token.at)

    def invocation(self, base: Tree | None) -> Tree:
        """Read an element's name or a call."""
        token = self.token
        if token.kind == "special":
            return self.special(token)
        if token.kind not in ("name", "quoted") or (
            token.kind == "name" and token.text in KEYWORDS
        ):
            raise self.unexpected("the name of an element or of a function")
        self.next += 1
        if not (self.token.kind == "sign" and self.token.text == "("):
            return Member(base, token.text, token.at)
        self.next += 1
        arguments: list[Tree] = []
        while not (self.token.kind == "sign" and self.token.text == ")"):
            if arguments:
                self.expect(",")
            arguments.append(self.argument(token.text))
        self.next += 1
        return Call(base, token.text, tuple(arguments), token.at)

    def argument(self, function: str) -> Tree:
        """Read an argument; one of `sort` may say its direction."""
        tree = self.expression(0)
        token = self.token
        if function == "sort" and token.kind == "name" and token.text in DIRECTIONS:
            self.next += 1
            return Sign("-", tree, token.at) if token.text == "desc" else tree
        return tree

    def type_name(self) -> tuple[str | None, str]:
        """Read a type's name: `Patient` or `FHIR.Patient`."""
        name = self.name()
        if self.token.kind == "sign" and self.token.text == ".":
            self.next += 1
            return name, self.name()
        return None, name

    def name(self) -> str:
        """Read a name."""
        token = self.token
        if token.kind not in ("name", "quoted"):
            raise self.unexpected("the name of a type")
        self.next += 1
        return token.text

    def expect(self, sign: str) -> None:
        """Read a sign that must stand here."""
        if self.token.kind != "sign" or self.token.text != sign:
            raise self.unexpected(f"'{sign}'")
        self.next += 1

    def unexpected(self, wanted: str) -> PlacedError:
        """Return the error of a word that cannot stand here."""
        token = self.token
        found = "the expression ends" if token.kind == END else f"'{token.text}' stands"
        return PlacedError(f"{found} where {wanted} is expected", token.at)


LITERALS = frozenset({"time", "date", "dateTime", "number", "string"})


def _value_of(token: Token) -> Value:
    """Return what a literal means."""
    if token.kind == "string":
        return token.text
    if token.kind == "number":
        return _number(token)
    if token.kind == "time":
        value: Value = parse_time(token.text)
    elif token.kind == "date":
        value = parse_date(token.text)
    else:
        value = parse_date_time(token.text.removesuffix("T"))
    if value is None:
        raise PlacedError(f"the calendar has no @{token.text}", token.at)
    return value


def _number(token: Token) -> int | Decimal:
    if "." in token.text:
        return Decimal(token.text)
    number = int(token.text) if len(token.text) < 20 else MAX_INTEGER + 1  # noqa: PLR2004
    if number > MAX_INTEGER:
        raise PlacedError(
            f"{token.text[:12]} is no Integer: the greatest is {MAX_INTEGER}; write it with .0",
            token.at,
        )
    return number
