"""Every ELM node type, and what builds its expression: the one place to look for an operator.

What an operator means is a plain function of `ivfhir.expressions.operators`. Builders of operators
take typed operands, whatever language they were written in; those that read the node itself, for
names and scopes, begin with `compile_`.
"""

from collections.abc import Mapping
from functools import partial

from ivfhir.expressions.elm import types as t
from ivfhir.expressions.elm.code import Expression
from ivfhir.expressions.elm.nodes import (
    casts,
    comparisons,
    conversions,
    functions,
    literals,
    logic,
    members,
    membership,
    messages,
    properties,
    queries,
    references,
    retrieves,
    temporal,
    terminology,
)
from ivfhir.expressions.elm.nodes.functions import (
    Builder,
    element,
    function,
    indexed,
    needing,
    of_nulls,
    point,
    product,
    quotient,
    same,
)
from ivfhir.expressions.elm.nodes.membership import in_order, related
from ivfhir.expressions.elm.scope import Node, NodeCompiler, Scope
from ivfhir.expressions.operators import (
    aggregates,
    arithmetic,
    boundaries,
    comparison,
    dates,
    intervals,
    lists,
    logical,
    strings,
)
from ivfhir.expressions.operators.arithmetic import fitting_integer

OPERATORS: Mapping[str, Builder] = {
    # Logic
    "Not": logic.negated,
    "Xor": of_nulls(logical.xor, t.BOOLEAN),
    "Implies": of_nulls(logical.implies, t.BOOLEAN),
    "IsNull": logic.is_null,
    "IsTrue": logic.is_true,
    "IsFalse": logic.is_false,
    "Coalesce": logic.coalesce,
    # Comparison
    "Equal": comparisons.equality,
    "NotEqual": comparisons.inequality,
    "Less": partial(comparisons.order, "<", comparison.less),
    "LessOrEqual": partial(comparisons.order, "<=", comparison.less_or_equal),
    "Greater": partial(comparisons.order, ">", comparison.greater),
    "GreaterOrEqual": partial(comparisons.order, ">=", comparison.greater_or_equal),
    # Arithmetic
    "Add": functions.add,
    "Subtract": functions.subtract,
    "Multiply": function(
        arithmetic.multiply,
        product,
        integers=arithmetic.multiply_integers,
        decimals=arithmetic.multiply_decimals,
    ),
    "Divide": function(arithmetic.divide, quotient, decimals=arithmetic.divide_decimals),
    "TruncatedDivide": function(
        arithmetic.truncated_divide, same, integers=fitting_integer(arithmetic.truncated_divide)
    ),
    "Modulo": function(arithmetic.modulo, same),
    "Power": function(arithmetic.power, same, integers=fitting_integer(arithmetic.power)),
    "Negate": function(arithmetic.negate, same, integers=fitting_integer(arithmetic.negate)),
    "Abs": function(arithmetic.absolute, same, integers=fitting_integer(arithmetic.absolute)),
    "Log": function(arithmetic.log, t.DECIMAL),
    "Ln": function(arithmetic.ln, t.DECIMAL),
    "Exp": function(arithmetic.exp, t.DECIMAL),
    "Ceiling": function(arithmetic.ceiling, t.INTEGER),
    "Floor": function(arithmetic.floor, t.INTEGER),
    "Truncate": function(arithmetic.truncate, t.INTEGER),
    "Round": needing(1, arithmetic.round_, t.DECIMAL),
    "Successor": function(boundaries.successor, same),
    "Predecessor": function(boundaries.predecessor, same),
    "Precision": function(functions.precision_of, t.INTEGER),
    "LowBoundary": functions.low_boundary,
    "HighBoundary": functions.high_boundary,
    # Strings
    "Concatenate": functions.concatenate,
    "Combine": needing(1, strings.combine, t.STRING),
    "Split": needing(1, strings.split, t.ListOf(t.STRING)),
    "SplitOnMatches": function(strings.split_on_matches, t.ListOf(t.STRING)),
    "Length": functions.length,
    "Lower": function(str.lower, t.STRING),
    "Upper": function(str.upper, t.STRING),
    "Substring": needing(2, strings.substring, t.STRING),
    "PositionOf": function(strings.position_of, t.INTEGER),
    "LastPositionOf": function(strings.last_position_of, t.INTEGER),
    "StartsWith": function(strings.starts_with, t.BOOLEAN),
    "EndsWith": function(strings.ends_with, t.BOOLEAN),
    "Matches": functions.matches,
    "ReplaceMatches": function(strings.replace_matches, t.STRING),
    "ToChars": function(list, t.ListOf(t.STRING)),
    # Lists
    "Indexer": function(functions.item, indexed),
    "IndexOf": function(lists.index_of, t.INTEGER),
    "First": functions.first,
    "Last": function(functions.last, element),
    "Slice": needing(1, lists.slice_, same),
    "Flatten": functions.flatten,
    "Distinct": functions.distinct,
    "SingletonFrom": function(lists.singleton, element),
    "Exists": functions.exists,
    "Union": membership.union,
    "Intersect": membership.intersection,
    "Except": membership.difference,
    "AllTrue": of_nulls(logical.all_true, t.BOOLEAN),
    "AnyTrue": of_nulls(logical.any_true, t.BOOLEAN),
    "Count": of_nulls(aggregates.count, t.INTEGER),
    **{name: functions.aggregate(name) for name in aggregates.AGGREGATES},
    # Intervals
    "Start": function(boundaries.start_of, point),
    "End": function(boundaries.end_of, point),
    "Width": function(intervals.width, point),
    "Size": function(intervals.size, point),
    "PointFrom": function(intervals.point_from, point),
    "Collapse": membership.collapse,
    # Dates
    "DateFrom": temporal.date_from,
    "TimeFrom": function(dates.time_from, t.TIME),
    "TimezoneOffsetFrom": function(dates.offset_from, t.DECIMAL),
    "TimezoneFrom": function(dates.offset_from, t.DECIMAL),
    "Now": temporal.now,
    "Today": temporal.today,
    "TimeOfDay": temporal.time_of_day,
    # Conversions
    "ConvertQuantity": conversions.in_unit,
    "CanConvertQuantity": conversions.has_unit,
    "ToList": conversions.to_list,
    "ToConcept": terminology.to_concept,
    **{f"To{name}": partial(conversions.converted, name) for name in conversions.NAMES},
    **{f"ConvertsTo{name}": partial(conversions.convertible, name) for name in conversions.NAMES},
}
"""Operators of operands alone."""

AT_PRECISION: Mapping[str, Builder] = {
    "Before": partial(in_order, intervals.before, (-1,)),
    "After": partial(in_order, intervals.after, (1,)),
    "SameAs": partial(in_order, intervals.same, (0,)),
    "SameOrBefore": partial(in_order, intervals.same_or_before, (-1, 0)),
    "SameOrAfter": partial(in_order, intervals.same_or_after, (0, 1)),
    "Overlaps": partial(related, intervals.overlaps),
    "OverlapsBefore": partial(related, intervals.overlaps_before),
    "OverlapsAfter": partial(related, intervals.overlaps_after),
    "Meets": partial(related, intervals.meets),
    "MeetsBefore": partial(related, intervals.meets_before),
    "MeetsAfter": partial(related, intervals.meets_after),
    "Starts": partial(related, intervals.starts),
    "Ends": partial(related, intervals.ends),
    "In": membership.is_in,
    "ProperIn": membership.is_properly_in,
    "Contains": lambda a, b, precision: membership.is_in(b, a, precision),
    "ProperContains": lambda a, b, precision: membership.is_properly_in(b, a, precision),
    "Includes": membership.includes,
    "ProperIncludes": membership.properly_includes,
    "IncludedIn": lambda a, b, precision: membership.includes(b, a, precision),
    "ProperIncludedIn": lambda a, b, precision: membership.properly_includes(b, a, precision),
    "DurationBetween": temporal.duration,
    "DifferenceBetween": temporal.difference,
    "CalculateAgeAt": temporal.duration,
    "CalculateAge": temporal.age,
    "DateTimeComponentFrom": temporal.component,
}
"""Operators of operands and a precision, such as `Day`, that comes last and may be None."""

OPERAND_NAMES: Mapping[str, tuple[str, ...]] = {
    "IndexOf": ("source", "element"),
    "Slice": ("source", "startIndex", "endIndex"),
    "Combine": ("source", "separator"),
    "Split": ("stringToSplit", "separator"),
    "Substring": ("stringToSub", "startIndex", "length"),
    "PositionOf": ("pattern", "string"),
    "LastPositionOf": ("pattern", "string"),
    "Round": ("operand", "precision"),
}
"""What ELM calls the operands that are neither `operand` nor `source`; later ones may be absent."""


def compile_operator(scope: Scope, node: Node) -> Expression:
    """Compile an operator of operands alone."""
    return OPERATORS[node["type"]](*operands(scope, node))


def compile_at_precision(scope: Scope, node: Node) -> Expression:
    """Compile an operator of operands and a precision."""
    return AT_PRECISION[node["type"]](*operands(scope, node), node.get("precision"))


def operands(scope: Scope, node: Node) -> list[Expression]:
    """Return the operands of an operator, compiled."""
    if node["type"] in OPERAND_NAMES:
        return [scope.compile(node[n]) for n in OPERAND_NAMES[node["type"]] if n in node]
    found = node["operand"] if "operand" in node else node.get("source", [])
    return scope.compile_all(found if isinstance(found, list) else [found])


NODES: Mapping[str, NodeCompiler] = {
    **dict.fromkeys(OPERATORS, compile_operator),
    **dict.fromkeys(AT_PRECISION, compile_at_precision),
    # Literals and constructors
    "Literal": literals.compile_literal,
    "Null": literals.compile_null,
    "Quantity": literals.compile_quantity,
    "Ratio": literals.compile_ratio,
    "Date": literals.compile_date,
    "DateTime": literals.compile_date_time,
    "Time": literals.compile_time,
    "List": literals.compile_list,
    "Tuple": literals.compile_tuple,
    "Interval": literals.compile_interval,
    "Instance": literals.compile_instance,
    "MinValue": functions.compile_extreme,
    "MaxValue": functions.compile_extreme,
    # Chains and choices
    "And": logic.compile_and,
    "Or": logic.compile_or,
    "If": logic.compile_if,
    "Case": logic.compile_case,
    "Message": messages.compile_message,
    # Types
    "As": casts.compile_as,
    "Is": casts.compile_is,
    "Convert": conversions.compile_convert,
    "CanConvert": conversions.compile_can_convert,
    # Names
    "Property": properties.compile_property,
    "ExpressionRef": references.compile_expression_ref,
    "ParameterRef": references.compile_parameter_ref,
    "FunctionRef": references.compile_function_ref,
    "OperandRef": references.compile_local,
    "AliasRef": references.compile_local,
    "QueryLetRef": references.compile_local,
    "IdentifierRef": references.compile_identifier_ref,
    # Queries
    "Query": queries.compile_query,
    "ForEach": members.compile_for_each,
    "Filter": members.compile_filter,
    "Current": members.compile_current,
    "Retrieve": retrieves.compile_retrieve,
    # Codes
    "Code": terminology.compile_code,
    "Concept": terminology.compile_concept,
    "CodeRef": terminology.compile_code_ref,
    "ConceptRef": terminology.compile_concept_ref,
    "ValueSetRef": terminology.compile_value_set_ref,
    "CodeSystemRef": terminology.compile_code_system_ref,
    "ExpandValueSet": terminology.compile_expand,
    "InValueSet": terminology.compile_in_value_set,
    "AnyInValueSet": terminology.compile_in_value_set,
    "InCodeSystem": terminology.compile_in_code_system,
    "AnyInCodeSystem": terminology.compile_in_code_system,
    "Equivalent": terminology.compile_equivalent,
}
"""The compiler of each ELM node type."""

STRUCTURE = frozenset(
    {
        "ByColumn",
        "ByDirection",
        "ByExpression",
        "ChoiceTypeSpecifier",
        "FunctionDef",
        "IntervalTypeSpecifier",
        "ListTypeSpecifier",
        "NamedTypeSpecifier",
        "TupleTypeSpecifier",
        "With",
        "Without",
    }
)
"""Node types that are parts of others."""
