"""Queries: sources, let, with and without, where, return, aggregate, sort."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ivfhir.expressions.elm import types as t
from ivfhir.expressions.elm.fusion import Fusion, fuse, remember
from ivfhir.expressions.elm.nodes.literals import coerced
from ivfhir.expressions.elm.nodes.properties import of_slot
from ivfhir.expressions.elm.nodes.sorting import compile_sort
from ivfhir.expressions.elm.scope import UNSET, Compiled, Frame, Node, Run, Scope, constant
from ivfhir.expressions.operators import lists
from ivfhir.expressions.values.value import Value

Check = Callable[[Frame], bool]


@dataclass(frozen=True, slots=True)
class Source:
    """A source of a query.

    Args:
        slot: frame slot of its alias.
        expression: what gives the elements.
        many: the expression is a list.
    """

    slot: int
    expression: Compiled
    many: bool


@dataclass(frozen=True, slots=True)
class Loop:
    """What a query goes through.

    Args:
        sources: in the order of the query.
        lets: frame slot -> let; unset for each combination of elements.
        checks: its `with` and `without`.
        where: its condition, None without one.
    """

    sources: list[Source]
    lets: dict[int, Compiled] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)
    where: Compiled | None = None


def compile_query(scope: Scope, node: Node) -> Compiled:
    """Compile a query; over a source that is no list the result is no list."""
    with scope.inner():
        loop = Loop(
            sources=[bind_source(scope, source) for source in node["source"]],
            lets=dict(bind_lets(scope, node)),
            checks=[compile_relationship(scope, r) for r in node.get("relationship", [])],
            where=scope.compile(node["where"]) if "where" in node else None,
        )
        if "aggregate" in node:
            return compile_aggregate(scope, node["aggregate"], loop)
        result, distinct = compile_return(scope, node, loop.sources)
        if not any(source.many for source in loop.sources):
            return single(loop, result)
        query = many(loop, result)
        if distinct:
            query = deduplicated(query)
        if "sort" in node:
            query = compile_sort(scope, node["sort"], query)
        return query


def bind_source(scope: Scope, source: Node) -> Source:
    """Compile a source and bind its alias."""
    compiled = scope.compile(source["expression"])
    plural = isinstance(compiled.type, t.ListOf) or compiled.type == t.NULL
    type_ = t.element_of(compiled.type) if plural else compiled.type
    return Source(scope.bind(source["alias"], type_), compiled, plural)


def bind_lets(scope: Scope, query: Node) -> Iterator[tuple[int, Compiled]]:
    """Compile the lets of a query, and give the slot of each that is asked for more than once.

    A let is computed when it is first asked for. One that is asked for in a single place stands
    there itself.
    """
    for let in query.get("let", []):
        name = let["identifier"]
        compiled = scope.compile(let["expression"])
        slot = scope.bind(name, compiled.type)
        if mentions(query, name) == 1:
            scope.lets[slot] = (compiled, None)
        else:
            scope.lets[slot] = (compiled, remember(compiled, slot))
            yield slot, compiled


def mentions(node: Value, name: str) -> int:
    """Return in how many places of a node a let is asked for."""
    if isinstance(node, list):
        return sum(mentions(item, name) for item in node)
    if not isinstance(node, dict):
        return 0
    here = node.get("type") in ("QueryLetRef", "IdentifierRef") and node.get("name") == name
    return here + sum(mentions(v, name) for v in node.values() if isinstance(v, list | dict))


def compile_relationship(scope: Scope, node: Node) -> Check:
    """Compile `with` and `without`."""
    wanted: bool = node["type"] == "With"
    with scope.inner():
        source = bind_source(scope, node)
        such_that = fuse(scope.compile(node["suchThat"]))
    slot, run, plural = source.slot, fuse(source.expression), source.many

    def check(f: Frame) -> bool:
        values = run(f)
        if not plural:
            values = [] if values is None else [values]
        for value in values or ():
            f[slot] = value
            if such_that(f) is True:
                return wanted
        return not wanted

    return check


def compile_return(scope: Scope, node: Node, sources: list[Source]) -> tuple[Compiled, bool]:
    """Return the compiled return and whether equal results are left out.

    Without a return the result is the alias, or a tuple of all aliases.
    """
    if "return" in node:
        returned = node["return"]
        return scope.compile(returned["expression"]), returned.get("distinct", True) is not False
    names = [source["alias"] for source in node["source"]]
    types = {name: scope.names[name][1] for name in names}
    if len(sources) == 1:
        return of_slot(sources[0].slot, types[names[0]]), False
    slots = [(name, source.slot) for name, source in zip(names, sources, strict=True)]
    return Compiled(lambda f: {name: f[slot] for name, slot in slots}, t.tuple_of(types)), False


def passing(loop: Loop) -> Check:
    """Return what tells whether a combination of elements passes relationships and where."""
    checks = loop.checks
    where = None if loop.where is None else fuse(loop.where)

    def passes(f: Frame) -> bool:
        return all(check(f) for check in checks) and (where is None or where(f) is True)

    return passes


def single(loop: Loop, result: Compiled) -> Compiled:
    """Return a query over sources that are no lists: null where one is null or does not pass."""
    returned, passes, lets = fuse(result), passing(loop), loop.lets
    sources = [(source.slot, fuse(source.expression)) for source in loop.sources]

    def run(f: Frame) -> Value:
        for slot, source in sources:
            value = source(f)
            if value is None:
                return None
            f[slot] = value
        for let in lets:
            f[let] = UNSET
        return returned(f) if passes(f) else None

    return Compiled(run, result.type)


def many(loop: Loop, result: Compiled) -> Compiled:
    """Return a query over at least one list; the common shape has a loop of its own."""
    type_ = t.ListOf(result.type)
    if len(loop.sources) == 1:
        run = one_loop(loop, result)
        return Compiled(run, type_, emit=lambda m: loop_text(m, loop, result))
    passes, returned, walk = passing(loop), fuse(result), walker(loop)

    def product(f: Frame) -> list[Value] | None:
        values: list[Value] = []

        def visit() -> None:
            if passes(f):
                values.append(returned(f))

        return values if walk(f, visit) else None

    return Compiled(product, type_)


def one_loop(loop: Loop, result: Compiled) -> Run:
    """Return the loop over one list."""
    slot, source = loop.sources[0].slot, loop.sources[0].expression.run
    lets, checks, returned = loop.lets, loop.checks, result.run
    where = None if loop.where is None else loop.where.run

    def run(f: Frame) -> list[Value] | None:
        values = source(f)
        if values is None:
            return None
        found = []
        for value in values:
            f[slot] = value
            for let in lets:
                f[let] = UNSET
            if all(check(f) for check in checks) and (where is None or where(f) is True):
                found.append(returned(f))
        return found

    return run


def loop_text(m: Fusion, loop: Loop, result: Compiled) -> str:
    """Return the text of the loop over one list: the call of a function that has the loop."""
    slot, expression = loop.sources[0].slot, loop.sources[0].expression

    def write(inner: Fusion) -> list[str]:
        if inner.bound is not None:
            inner.bound.add(slot)
        lines = ["r = []", "add = r.append", f"for {inner.slot(slot)} in s:"]
        if inner.bound is None:
            lines += [f" f[{let}] = {m.name(UNSET)}" for let in loop.lets]
        for check in loop.checks:
            lines.append(f" if not {m.name(check)}({inner.frame()}): continue")
        if loop.where is not None:
            lines += conditional(inner, f"if not {inner.truth(loop.where)}: continue")
        lines += conditional(inner, f"add({inner.value(result)})")
        return [*lines, "return r"]

    v = m.temporary()
    source = m.value(expression)
    call = m.inside(write, {"s": v}, loop.lets)
    return f"(None if ({v} := {source}) is None else {call})"


def conditional(inner: Fusion, statement: str) -> list[str]:
    """Return a statement of a loop after the lets that it asked for."""
    lines = [f" {line}" for line in (*inner.lines, statement)]
    inner.lines.clear()
    return lines


def walker(loop: Loop) -> Callable[[Frame, Callable[[], None]], bool]:
    """Return what visits every combination of elements; it is False when a source is null."""
    sources = [(s.slot, fuse(s.expression), s.many) for s in loop.sources]
    lets = loop.lets

    def walk(f: Frame, visit: Callable[[], None], depth: int = 0) -> bool:
        if depth == len(sources):
            for let in lets:
                f[let] = UNSET
            visit()
            return True
        slot, source, plural = sources[depth]
        values = source(f)
        if values is None:
            return False
        for value in values if plural else [values]:
            f[slot] = value
            if not walk(f, visit, depth + 1):
                return False
        return True

    return walk


def deduplicated(query: Compiled) -> Compiled:
    """Return the query with equal results left out."""
    run = query.run

    def distinct(f: Frame) -> list[Value] | None:
        values = run(f)
        return None if values is None else lists.distinct(values)

    def emit(m: Fusion) -> str:
        v = m.temporary()
        kept = f"{v} if len({v}) < 2 else {m.name(lists.distinct)}({v})"
        return f"(None if ({v} := {m.value(query)}) is None else {kept})"

    return Compiled(distinct, query.type, emit=emit)


def compile_aggregate(scope: Scope, aggregate: Node, loop: Loop) -> Compiled:
    """Compile a query that folds its elements into one value."""
    null = constant(None, t.NULL)
    start = scope.compile(aggregate["starting"]) if "starting" in aggregate else null
    total_type = t.ANY if start.type == t.NULL else start.type
    slot = scope.bind(aggregate["identifier"], total_type)
    step = scope.compile(aggregate["expression"])
    begin, advance = fuse(start), fuse(coerced(step, total_type))
    passes, walk = passing(loop), walker(loop)
    slots, lets = [source.slot for source in loop.sources], loop.lets
    distinct = aggregate.get("distinct") is True

    def run(f: Frame) -> Value:
        rows: list[list[Value]] = []

        def visit() -> None:
            if passes(f):
                rows.append([f[s] for s in slots])

        if not walk(f, visit):
            return None
        total = begin(f)
        for row in lists.distinct(rows) if distinct else rows:
            for s, value in zip(slots, row, strict=True):
                f[s] = value
            for let in lets:
                f[let] = UNSET
            f[slot] = total
            total = advance(f)
        return total

    return Compiled(run, t.choice([start.type, step.type]))


NODES = {"Query": compile_query}
