"""Message: stops the evaluation when its severity is Error, otherwise gives its source back."""

from ivfhir.expressions.elm import types as t
from ivfhir.expressions.elm.code import Expression, Writer, constant
from ivfhir.expressions.elm.scope import Node, Scope
from ivfhir.expressions.operators.errors import CqlError
from ivfhir.expressions.values.value import Value


def compile_message(scope: Scope, node: Node) -> Expression:
    """Compile a message (https://cql.hl7.org/09-b-cqlreference.html#message)."""
    source, condition, code, severity, text = (
        scope.compile(node[name]) if name in node else constant(None, t.NULL)
        for name in ("source", "condition", "code", "severity", "message")
    )

    def words(m: Writer) -> str:
        said = f"{m.name(say)}({m.value(severity)}, {m.value(code)}, {m.value(text)})"
        return f"({m.value(source)} if not {m.truth(condition)} or {said} else None)"

    return Expression(source.type, words)


def say(severity: Value, code: Value, text: Value) -> bool:
    """Go on after a message.

    Raises:
        CqlError: its severity is Error.
    """
    if str(severity).lower() == "error":
        raise CqlError(f"{code or 'error'}: {text or ''}".rstrip(": "))
    return True
