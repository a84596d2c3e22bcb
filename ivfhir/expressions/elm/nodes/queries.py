"""Queries: sources, let, with and without, where, return, aggregate, sort."""

from collections.abc import Callable
from operator import itemgetter

from ivfhir.expressions.elm import types as t
from ivfhir.expressions.elm.nodes.literals import coerced
from ivfhir.expressions.elm.nodes.properties import of_slot
from ivfhir.expressions.elm.nodes.sorting import compile_sort
from ivfhir.expressions.elm.scope import UNSET, Compiled, Frame, Node, Run, Scope, constant
from ivfhir.expressions.operators import lists
from ivfhir.expressions.values.value import Value

Check = Callable[[Frame], bool]
TRUE = constant(True, t.BOOLEAN)


def compile_query(scope: Scope, node: Node) -> Compiled:
    """Compile a query; over a source that is no list the result is no list."""
    with scope.inner():
        sources = [bind_source(scope, source) for source in node["source"]]
        lets = [bind_let(scope, let) for let in node.get("let", [])]
        checks = [compile_relationship(scope, r) for r in node.get("relationship", [])]
        where = scope.compile(node["where"]).run if "where" in node else None
        if "aggregate" in node:
            return compile_aggregate(scope, node, sources, lets, tests(checks, where))
        result, distinct = compile_return(scope, node, sources)
        plural = any(many for _, _, many in sources)
        if not plural:
            return single(sources, lets, tests(checks, where), result)
        run = plan(
            sources, lets, checks, where, None if result.slot == sources[0][0] else result.run
        )
        if distinct:
            run = deduplicated(run)
        if "sort" in node:
            run = compile_sort(scope, node["sort"], run, result.type)
        return Compiled(run, t.ListOf(result.type))


Source = tuple[int, Run, bool]
"""Frame slot of the alias, what gives the source, and whether that is a list."""


def bind_source(scope: Scope, source: Node) -> Source:
    """Compile a source and bind its alias."""
    compiled = scope.compile(source["expression"])
    many = isinstance(compiled.type, t.ListOf) or compiled.type == t.NULL
    type_ = t.element_of(compiled.type) if many else compiled.type
    return scope.bind(source["alias"], type_), compiled.run, many


def bind_let(scope: Scope, let: Node) -> int:
    """Compile a let, computed when first asked for, and return its slot."""
    compiled = scope.compile(let["expression"])
    slot = scope.bind(let["identifier"], compiled.type)
    scope.lets[slot] = compiled.run
    return slot


def compile_relationship(scope: Scope, node: Node) -> Check:
    """Compile `with` and `without`."""
    wanted: bool = node["type"] == "With"
    with scope.inner():
        slot, run, many = bind_source(scope, node)
        such_that = scope.compile(node["suchThat"]).run if "suchThat" in node else TRUE.run

    def check(f: Frame) -> bool:
        values = run(f)
        if not many:
            values = [] if values is None else [values]
        for value in values or ():
            f[slot] = value
            if such_that(f) is True:
                return wanted
        return not wanted

    return check


def tests(checks: list[Check], where: Run | None) -> Check:
    """Return what tells whether an element passes relationships and where."""

    def passes(f: Frame) -> bool:
        return all(check(f) for check in checks) and (where is None or where(f) is True)

    return passes


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
        slot = sources[0][0]
        return of_slot(slot, types[names[0]]), False
    slots = [(name, slot) for name, (slot, _, _) in zip(names, sources, strict=True)]
    return Compiled(lambda f: {name: f[slot] for name, slot in slots}, t.tuple_of(types)), False


def single(sources: list[Source], lets: list[int], passes: Check, result: Compiled) -> Compiled:
    """Return a query over sources that are no lists: null where one is null or does not pass."""
    returned = result.run

    def run(f: Frame) -> Value:
        for slot, source, _ in sources:
            value = source(f)
            if value is None:
                return None
            f[slot] = value
        for let in lets:
            f[let] = UNSET
        return returned(f) if passes(f) else None

    return Compiled(run, result.type)


def plan(
    sources: list[Source],
    lets: list[int],
    checks: list[Check],
    where: Run | None,
    returned: Run | None,
) -> Run:
    """Return the loop of a query; the common shapes have their own."""
    if len(sources) == 1 and not checks and not lets:
        slot, source, _ = sources[0]
        return simple_loop(slot, source, where, returned)
    passes = tests(checks, where)
    slot = sources[0][0]
    value = returned if returned is not None else itemgetter(slot)

    def run(f: Frame) -> list[Value] | None:
        result: list[Value] = []

        def visit() -> None:
            if passes(f):
                result.append(value(f))

        return result if walk(f, sources, lets, visit) else None

    return run


def simple_loop(slot: int, source: Run, where: Run | None, returned: Run | None) -> Run:
    """Return the loop over one source with no let and no relationship."""

    def filtered(f: Frame) -> list[Value] | None:
        values = source(f)
        if values is None:
            return None
        result = []
        for value in values:
            f[slot] = value
            if where is None or where(f) is True:
                result.append(value if returned is None else returned(f))
        return result

    return filtered


def walk(f: Frame, sources: list[Source], lets: list[int], visit: Callable[[], None]) -> bool:
    """Visit every combination of elements of the sources; False when a source is null."""
    (slot, source, many), *rest = sources
    values = source(f)
    if values is None:
        return False
    for value in values if many else [values]:
        f[slot] = value
        if rest:
            if not walk(f, rest, lets, visit):
                return False
            continue
        for let in lets:
            f[let] = UNSET
        visit()
    return True


def deduplicated(run: Run) -> Run:
    """Return the query with equal results left out."""

    def distinct(f: Frame) -> list[Value] | None:
        values = run(f)
        return None if values is None else lists.distinct(values)

    return distinct


def compile_aggregate(
    scope: Scope, node: Node, sources: list[Source], lets: list[int], passes: Check
) -> Compiled:
    """Compile a query that folds its elements into one value."""
    aggregate = node["aggregate"]
    start = (
        scope.compile(aggregate["starting"]) if "starting" in aggregate else constant(None, t.NULL)
    )
    start_run, type_ = start.run, start.type
    slot = scope.bind(aggregate["identifier"], t.ANY if type_ == t.NULL else type_)
    step = scope.compile(aggregate["expression"])
    result = t.choice([type_, step.type])
    step_run = coerced(step, scope.names[aggregate["identifier"]][1]).run
    distinct = aggregate.get("distinct") is True
    slots = [s for s, _, _ in sources]

    def run(f: Frame) -> Value:
        rows: list[list[Value]] = []

        def visit() -> None:
            if passes(f):
                rows.append([f[s] for s in slots])

        if not walk(f, sources, lets, visit):
            return None
        total = start_run(f)
        for row in lists.distinct(rows) if distinct else rows:
            for s, value in zip(slots, row, strict=True):
                f[s] = value
            for let in lets:
                f[let] = UNSET
            f[slot] = total
            total = step_run(f)
        return total

    return Compiled(run, result)


def compile_for_each(scope: Scope, node: Node) -> Compiled:
    """Compile ForEach: an element of each member of a list."""
    return over(scope, node, "element", keep=False)


def compile_filter(scope: Scope, node: Node) -> Compiled:
    """Compile Filter: the members of a list that pass a condition."""
    return over(scope, node, "condition", keep=True)


def over(scope: Scope, node: Node, part: str, *, keep: bool) -> Compiled:
    """Compile a loop over a list with the current member as `scope` or `$this`."""
    with scope.inner():
        source = scope.compile(node["source"])
        slot = scope.bind(node.get("scope", "$this"), t.element_of(source.type))
        body = scope.compile(node[part])
    loop = simple_loop(slot, source.run, body.run if keep else None, None if keep else body.run)
    return Compiled(loop, source.type if keep else t.ListOf(body.type))


def compile_current(scope: Scope, node: Node) -> Compiled:
    """Compile Current: the member that is being visited."""
    name = node.get("scope", "$this")
    if name not in scope.names:
        scope.refuse(node, f"there is no {name} here")
    slot, type_ = scope.names[name]
    return of_slot(slot, type_)


NODES = {
    "Query": compile_query,
    "ForEach": compile_for_each,
    "Filter": compile_filter,
    "Current": compile_current,
}
