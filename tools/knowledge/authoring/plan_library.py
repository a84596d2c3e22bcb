"""Build the CQL library below a protocol's own: parameters, bounds, days and windows, texts."""

from collections.abc import Iterator
from pathlib import Path
from string import Template

from ivfhir.knowledge.parameters import HIGHEST, LOWEST
from tools.knowledge.authoring.action import describe
from tools.knowledge.authoring.activity_definition import text_defines
from tools.knowledge.authoring.occurrences import Anchor, Occurrence, Rounds
from tools.knowledge.authoring.parameters import Parameter
from tools.knowledge.authoring.protocol import Protocol
from tools.knowledge.authoring.texts import quote
from tools.knowledge.layout import VERSION

_HEAD = Path(__file__).with_suffix(".cql")
"""How the library begins, with places for what differs."""


def plan_library(protocol: Protocol) -> str:
    """Return the CQL of the library."""
    parameters = protocol.parameters.values()
    declared = "\n".join(
        [
            *(f"parameter {p.name} Integer default {p.default}" for p in parameters),
            *(line for p in parameters for line in _bounds(p)),
            *(f"parameter {name} String" for name in protocol.choices),
        ]
    )
    names = [*protocol.parameters, *protocol.choices]
    chosen = "\n".join(f"define Chosen_{name}: {name}" for name in names)
    head = Template(_HEAD.read_text(encoding="utf-8")).substitute(
        id=protocol.id,
        version=protocol.version,
        shared=VERSION,
        parameters=declared,
        chosen=chosen,
        problems=",\n    ".join(map(_problem, parameters)) or "null as String",
    )
    blocks = [
        head,
        _section("settings and texts", _texts(protocol)),
        _section("days", _days(protocol)),
    ]
    return "\n".join(block.strip("\n") + "\n" for block in blocks)


def _section(title: str, defines: Iterator[str]) -> str:
    return f"// {f' {title}'.rjust(117, '=')}\n\n" + "\n\n".join(defines) + "\n"


def _bounds(parameter: Parameter) -> list[str]:
    """Return the parameters that are its bounds; none where the values are listed."""
    if parameter.choices:
        return []
    ends = ((LOWEST, parameter.low), (HIGHEST, parameter.high))
    return [f"parameter {parameter.name}{end} Integer default {value}" for end, value in ends]


def _problem(parameter: Parameter) -> str:
    name, called = parameter.name, parameter.called
    if not parameter.choices:
        return (
            f"Conventions.BoundProblem({quote(name)}, {quote(called)}, {name}, "
            f"{name}{LOWEST}, {name}{HIGHEST})"
        )
    *most, last = map(str, parameter.choices)
    allowed = f"{', '.join(most)} or {last}"
    return (
        f"if {name} in {{ {', '.join([*most, last])} }} then null as String "
        f"else {quote(f'{called} ({name}) must be {allowed}; you gave ')} "
        f"& Coalesce(ToString({name}), 'nothing') & '.'"
    )


def _texts(protocol: Protocol) -> Iterator[str]:
    tables = [
        *(each.table for each in protocol.choices.values()),
        *(each.table for each in protocol.parameters.values()),
    ]
    settings = [
        protocol.texts.read(table, "setting", {}, zero="setting_when_zero").cql
        for table in tables
        if "setting" in table
    ]
    if settings:
        lines = ",\n  ".join(settings)
        yield f"/* What was chosen. */\ndefine Plan_Settings: {{\n  {lines}\n}}"
    for name, text in protocol.texts.named.items():
        yield f"define Text_{name}: {text.cql}"
    for part in protocol.plan.tables("part"):
        for key in ("title", "description"):
            words = protocol.texts.read(part, key, {})
            if words.varies:
                yield f"define {protocol.id}_{part['id']}_{key.capitalize()}: {words.cql}"
    for name, table in protocol.words.named("activity").items():
        for define, (_, cql) in text_defines(protocol, name, table).items():
            yield f"define {define}: {cql}"
    seen: set[str] = set()
    for own in protocol.occurrences:
        about = describe(protocol, own)
        if about.varies and about.define not in seen:
            seen.add(about.define)
            yield f"define {about.define}: {about.cql}"


def _days(protocol: Protocol) -> Iterator[str]:
    rounds = protocol.rounds
    if rounds is not None:
        word, count = rounds.word, _by(rounds, rounds.counts)
        if rounds.by:
            yield f"define {word.capitalize()}s: {count}"
            count = f"{word.capitalize()}s"
        later = f"(k - 1) * {_by(rounds, rounds.intervals)}"
        if rounds.by:
            yield f"define Days_Between: {_by(rounds, rounds.intervals)}"
            later = "(k - 1) * Days_Between"
        if rounds.first is not None:
            later = f"{rounds.first.name} + {later}"
        yield (
            f"/* Day 0 of each {word}. */\n"
            f"define function DayOf{word.capitalize()}(k Integer): Start + DaysOf({later})"
        )
        for k in rounds.tables:
            yield f"define Day0_{k}: DayOf{word.capitalize()}({k})"
        yield f"define Day0_Last: DayOf{word.capitalize()}({count})"
        for k in rounds.tables:
            if k > rounds.always:
                yield f"define {word.capitalize()}_{k}: {count} >= {k}"
    for name, written in protocol.plan.table("defines").data.items():
        yield f"define {name}: {written}"
    anchors = {str(each.anchor[1]) for each in protocol.occurrences if each.anchor[0] == "action"}
    for ways in protocol.actions.values():
        yield _dates(protocol, ways, named=ways[0].row_id in anchors)


def _by(rounds: Rounds, parameters: dict[str, Parameter]) -> str:
    """Return the parameter that holds for what was chosen, as CQL."""
    if not rounds.by or "" in parameters:
        return next(iter(parameters.values())).name
    cases = " ".join(f"when {quote(word)} then {p.name}" for word, p in parameters.items())
    return f"case {rounds.by} {cases} else null as Integer end"


def _dates(protocol: Protocol, ways: list[Occurrence], *, named: bool) -> str:
    """Return the defines of an action's day and window; `named`: others count from its day."""
    own = ways[0]
    first, day, last = (
        _chosen(ways, [_three(protocol, each)[at] for each in ways]) for at in range(3)
    )
    lines = [f"define {own.define}_Kept: {kept(ways)}"] if own.only_if else []
    if named:
        lines.append(f"define {own.define}_Day: {day}")
        day = f"{own.define}_Day"
    lines += [
        f"define {own.define}_Date: Conventions.DayOf({day})",
        f"define {own.define}_Window: Conventions.WindowOf({first}, {last})",
    ]
    return "\n".join(lines)


def kept(ways: list[Occurrence]) -> str:
    """Return the CQL that says whether the plan has an action in one of its ways."""
    if len(ways) == 1:
        return ways[0].only_if
    return " or ".join(f"({each.only_if})" for each in ways)


def _chosen(ways: list[Occurrence], days: list[str]) -> str:
    """Return the day of the way that holds."""
    if len(set(days)) == 1:
        return days[0]
    cases = (f"when {w.only_if} then {day}" for w, day in zip(ways, days, strict=True))
    return f"case {' '.join(cases)} else null as Date end"


def _three(protocol: Protocol, own: Occurrence) -> list[str]:
    """Return the earliest, the planned and the latest day of one way."""
    anchor = _anchor(protocol, own.anchor)
    days = own.days
    if days.step is not None and days.steps:
        times = days.step.name if days.steps == 1 else f"{days.steps} * {days.step.name}"
        anchor = f"{anchor} + DaysOf({times})"
    planned = anchor if days.parameter is None else f"{anchor} + DaysOf({days.parameter.name})"
    three = [_plus(anchor, days.first), _plus(planned, days.planned), _plus(anchor, days.last)]
    if "not_before" in own.row:
        three = [f"Later({each}, {_floor(protocol, own)})" for each in three]
    return three


def _anchor(protocol: Protocol, anchor: Anchor) -> str:
    kind, name = anchor
    if kind == "round":
        return "Day0_Last" if name == "last" else f"Day0_{name}"
    return "Start" if kind == "start" else f"{protocol.id}_{name}_Day".replace(".", "_")


def _floor(protocol: Protocol, own: Occurrence) -> str:
    return _plus(_anchor(protocol, own.floor[0]), own.floor[1]) if own.floor else ""


def _plus(day: str, count: int) -> str:
    if count == 0:
        return day
    return f"{day} {'+' if count > 0 else '-'} {abs(count)} days"
