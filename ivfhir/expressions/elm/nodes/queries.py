"""Queries: sources, let, with and without, where, return, aggregate, sort."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from ivfhir.expressions.elm import types as t
from ivfhir.expressions.elm.calls import coerced, few_of
from ivfhir.expressions.elm.code import Expression, Text, Writer, constant
from ivfhir.expressions.elm.nodes.literals import elements_of_list, tuple_of
from ivfhir.expressions.elm.nodes.sorting import compile_sort
from ivfhir.expressions.elm.scope import Node, Scope, mentions
from ivfhir.expressions.elm.shapes import Shape, element_of, known
from ivfhir.expressions.operators import lists


@dataclass(frozen=True, slots=True)
class Source:
    """A source of a query.

    Args:
        slot: slot of its alias.
        expression: what gives the elements.
        many: the expression is a list.
        element: the shape of an element.
    """

    slot: int
    expression: Expression
    many: bool
    element: Shape


@dataclass(frozen=True, slots=True)
class Loop:
    """What a query goes through.

    Args:
        sources: in the order of the query.
        lets: slot -> let; computed for each combination of elements that asks for it.
        conditions: its `with` and `without`, then its `where`.
    """

    sources: list[Source]
    lets: dict[int, Expression] = field(default_factory=dict)
    conditions: list[Expression] = field(default_factory=list)

    @property
    def is_known(self) -> bool:
        """Whether none of the sources can be null."""
        return all(source.expression.shape.known for source in self.sources)

    @property
    def many(self) -> bool:
        """Whether one of the sources is a list."""
        return any(source.many for source in self.sources)


def compile_query(scope: Scope, node: Node) -> Expression:
    """Compile a query; over a source that is no list the result is no list."""
    with scope.inner():
        sources = [bind_source(scope, source) for source in node["source"]]
        lets = dict(bind_lets(scope, node))
        conditions = [compile_relationship(scope, r) for r in node.get("relationship", [])]
        if "where" in node:
            conditions.append(scope.compile(node["where"]))
        loop = Loop(sources, lets, conditions)
        if "aggregate" in node:
            return compile_aggregate(scope, node["aggregate"], loop)
        result, distinct = compile_return(scope, node, loop.sources)
        if not loop.many:
            return single(loop, result)
        query = many(loop, result)
        if distinct:
            query = deduplicated(query)
        if "sort" in node:
            query = compile_sort(scope, node["sort"], query)
        return query


def bind_source(scope: Scope, source: Node) -> Source:
    """Compile a source and bind its alias."""
    expression = scope.compile(source["expression"])
    plural = isinstance(expression.type, t.ListOf) or expression.type == t.NULL
    return bound(scope, source["alias"], expression, plural=plural)


def bound(scope: Scope, name: str, expression: Expression, *, plural: bool) -> Source:
    """Bind the name of what goes through a list, or is a value that is not null."""
    type_ = t.element_of(expression.type) if plural else expression.type
    shape = element_of(expression.shape) if plural else known(expression.shape)
    return Source(scope.bind(name, type_, shape), expression, plural, shape)


def bind_lets(scope: Scope, query: Node) -> Iterator[tuple[int, Expression]]:
    """Compile the lets of a query, and give the slot of each that is asked for more than once.

    One that is asked for in a single place stands there itself.
    """
    for let in query.get("let", []):
        name = let["identifier"]
        expression = scope.compile(let["expression"])
        slot = scope.bind(name, expression.type, expression.shape)
        if mentions(query, name, LETS) == 1:
            scope.lets[slot] = expression
        else:
            yield slot, expression


LETS = frozenset({"QueryLetRef", "IdentifierRef"})


def compile_relationship(scope: Scope, node: Node) -> Expression:
    """Compile `with` and `without`: whether an element of a source is such that, or none is."""
    wanted: bool = node["type"] == "With"
    with scope.inner():
        source = bind_source(scope, node)
        such_that = scope.compile(node["suchThat"])

    def write(m: Writer) -> list[str]:
        values = m.value(source.expression)
        plural = f"{values} or ()" if source.many else f"() if (s := {values}) is None else (s,)"
        lines = m.statement(f"for x{source.slot} in {plural}:")
        m.bound.add(source.slot)
        found = m.statement(f"if {m.truth(such_that)}: return {wanted}")
        return [*lines, *indented(found, 1), f"return {not wanted}"]

    def text(m: Writer) -> str:
        return m.inside(write)

    return Expression(t.BOOLEAN, text, truth=text)


def compile_return(scope: Scope, node: Node, sources: list[Source]) -> tuple[Expression, bool]:
    """Return the return and whether equal results are left out.

    Without a return the result is the alias, or a tuple of all aliases.
    """
    if "return" in node:
        returned = node["return"]
        return scope.compile(returned["expression"]), returned.get("distinct", True) is not False
    aliases = {source["alias"]: scope.local(source["alias"]) for source in node["source"]}
    if len(sources) == 1:
        (alias,) = aliases.values()
        return alias, False
    return tuple_of(aliases), False


def single(loop: Loop, result: Expression) -> Expression:
    """Return a query over sources that are no lists: null where one is null or does not pass."""

    def write(m: Writer) -> list[str]:
        return loop_lines(m, loop, lambda: m.statement(f"return {m.value(result)}"))

    return Expression(result.type, lambda m: m.inside(write, loop.lets))


def many(loop: Loop, result: Expression) -> Expression:
    """Return a query over at least one list."""

    def gathering(words: Callable[[Writer], str]) -> Text:
        def write(m: Writer) -> list[str]:
            lines = loop_lines(m, loop, lambda: m.statement(words(m)), ["r = []"])
            return [*lines, "return r"]

        return lambda m: m.inside(write, loop.lets)

    def seeking(m: Writer) -> list[str]:
        def found() -> list[str]:
            if result.shape.known:
                return ["return True"]
            return m.statement(f"if {m.value(result)} is not None: return True")

        lines = loop_lines(m, loop, found, null="False")
        return [*lines, "return False"]

    each = gathering(lambda m: f"r.append({m.value(result)})")
    flat = gathering(lambda m: f"r += {elements_of_list(m, result)}")
    listed_ = Shape(known=loop.is_known, element=result.shape)
    nested = isinstance(result.type, t.ListOf)
    return Expression(
        t.ListOf(result.type),
        each,
        shape=listed_,
        flat=flat if nested else None,
        some=lambda m: m.inside(seeking, loop.lets),
    )


def loop_lines(
    m: Writer,
    loop: Loop,
    write: Callable[[], list[str]],
    begin: Sequence[str] = (),
    null: str = "None",
) -> list[str]:
    """Return the loops over the sources, with what is written for each combination that passes.

    Args:
        m: the function.
        loop: what it goes through.
        write: the lines for a combination.
        begin: lines before the first loop, of a query whose result is empty where its source is.
        null: the text of what comes back where a source is null.
    """
    lines: list[str] = []
    depth = 0
    for number, source in enumerate(loop.sources):
        x = f"x{source.slot}"
        values = "s" if source.many else x
        text = m.value(source.expression)
        if source.many and text.isidentifier() and not m.lines:
            values, head = text, []
        else:
            head = [*m.statement(f"{values} = {text}")]
        if source.many and not number and begin:
            head.append(f"if not {values}: return {values}")
        elif not source.expression.shape.known:
            head.append(f"if {values} is None: return {null}")
        head += () if number else begin
        if source.many:
            head.append(f"for {x} in {values}:")
        lines += indented(head, depth)
        depth += source.many
        m.bound.add(source.slot)
    skip = "continue" if loop.many else "return None"
    for condition in loop.conditions:
        lines += indented(m.statement(f"if not {m.truth(condition)}: {skip}"), depth)
    return lines + indented(write(), depth)


def indented(lines: list[str], depth: int) -> list[str]:
    """Return lines inside so many loops."""
    return [" " * depth + line for line in lines]


def deduplicated(query: Expression) -> Expression:
    """Return the query with equal results left out."""

    def text(m: Writer) -> str:
        v = m.temporary()
        few = few_of(m, v, query)
        return f"({v} if {few} else {m.name(lists.distinct)}({v}))"

    return Expression(query.type, text, shape=query.shape, some=query.some)


def compile_aggregate(scope: Scope, aggregate: Node, loop: Loop) -> Expression:
    """Compile a query that folds its elements into one value."""
    null = constant(None, t.NULL)
    start = scope.compile(aggregate["starting"]) if "starting" in aggregate else null
    total_type = t.ANY if start.type == t.NULL else start.type
    total = scope.bind(aggregate["identifier"], total_type)
    step = scope.compile(aggregate["expression"])
    elements = ", ".join(f"x{source.slot}" for source in loop.sources) + ","
    rows = Expression(t.ANY, lambda _: "rows")
    if aggregate.get("distinct") is True:
        rows = deduplicated(rows)

    def write(m: Writer) -> list[str]:
        found = loop_lines(m, loop, lambda: [f"rows.append([{elements}])"])
        begin = m.statement(f"x{total} = {m.value(start)}")
        m.bound.add(total)
        m.bound -= loop.lets.keys()
        advance = m.statement(f"x{total} = {m.value(coerced(step, total_type))}")
        lines = [f"for {elements} in {m.value(rows)}:", *indented(advance, 1), f"return x{total}"]
        return ["rows = []", *found, *begin, *lines]

    return Expression(t.choice([start.type, step.type]), lambda m: m.inside(write, loop.lets))
