"""Message: stops the evaluation when its severity is Error, otherwise gives its source back."""

from ivfhir.expressions.elm import types as t
from ivfhir.expressions.elm.scope import Compiled, Frame, Node, Scope, constant
from ivfhir.expressions.operators.errors import CqlError
from ivfhir.expressions.values.value import Value

ABSENT = constant(None, t.NULL)


def compile_message(scope: Scope, node: Node) -> Compiled:
    """Compile a message (https://cql.hl7.org/09-b-cqlreference.html#message)."""
    source = scope.compile(node["source"])
    parts = {
        name: scope.compile(node[name]) if name in node else ABSENT
        for name in ("condition", "code", "severity", "message")
    }
    run, condition, severity = source.run, parts["condition"].run, parts["severity"].run
    code, text = parts["code"].run, parts["message"].run

    def message(f: Frame) -> Value:
        if condition(f) is True and str(severity(f)).lower() == "error":
            raise CqlError(f"{code(f) or 'error'}: {text(f) or ''}".rstrip(": "))
        return run(f)

    return Compiled(message, source.type)


NODES = {"Message": compile_message}
