"""A FHIRPath expression, compiled once and evaluated as often as one likes."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from ivfhir.errors import FhirPathError
from ivfhir.expressions.fhirpath.absence import true_without
from ivfhir.expressions.fhirpath.compiled import Compiled, One, Scope, truth_of
from ivfhir.expressions.fhirpath.compiler import compile_tree
from ivfhir.expressions.fhirpath.nodes import Items, Node, add_untyped, root_node
from ivfhir.expressions.fhirpath.parser import parse
from ivfhir.expressions.fhirpath.place import PlacedError, placed
from ivfhir.expressions.fhirpath.run import Run, Services
from ivfhir.expressions.fhirpath.syntax import Tree
from ivfhir.expressions.fhirpath.types import named_type
from ivfhir.expressions.operators.errors import CqlError
from ivfhir.expressions.values import DateTime
from ivfhir.expressions.values.value import Value

SHAPE = (AttributeError, TypeError, KeyError, IndexError)
"""What Python raises where JSON has another shape than FHIR says."""


class FhirPath:
    """A compiled expression.

    Attributes:
        text: as it was given.
    """

    def __init__(self, text: str, tree: Tree, scope: Scope, compiled: Compiled) -> None:
        """Keep what `compile_fhirpath` made."""
        self.text = text
        self._tree = tree
        self._scope = scope
        self._compiled = compiled
        self._truth = truth_of(compiled, 0)
        self._careful: Compiled | None = None

    @property
    def true_without(self) -> frozenset[str]:
        """Elements of the context without any one of which the condition is true."""
        return true_without(self._tree)

    def evaluate(
        self,
        resource: Value,
        *,
        variables: Mapping[str, Value] | None = None,
        now: DateTime | None = None,
        services: Services | None = None,
        context: Node | None = None,
        root: Value = None,
    ) -> Items:
        """Return the items: System values, and nodes for elements of the resource.

        Args:
            resource: R4 JSON that the expression is about; nothing of it is changed.
            variables: JSON of further `%` names.
            now: the moment that `now()` and `today()` tell; without one they are refused.
            services: value sets, other resources, profiles, and who is told of `trace()`.
            context: the element that the expression is about, where it is not the resource itself.
            root: the resource that contains this one, where it is contained.

        Raises:
            FhirPathError: the expression asks for what its input cannot give, or for too much.
        """
        run = _run(
            resource, context=context, root=root, variables=variables, now=now, services=services
        )
        this = context or run.resource[0]
        return list(self._guarded(self._compiled.nodes, lambda c: c.nodes, run, this))

    def is_true(
        self,
        resource: Value,
        *,
        variables: Mapping[str, Value] | None = None,
        now: DateTime | None = None,
        services: Services | None = None,
        context: Node | None = None,
        root: Value = None,
    ) -> bool | None:
        """Return the truth of a condition: True, False, or None for empty. Arguments as above."""
        run = _run(
            resource, context=context, root=root, variables=variables, now=now, services=services
        )
        this = context or run.resource[0]
        found: bool | None = self._guarded(self._truth, lambda c: truth_of(c, 0), run, this)
        return found

    def _guarded(
        self, function: One, careful: Callable[[Compiled], One], run: Run, this: Value
    ) -> Value:
        """Return what a closure gives; once more, trusting no shape, where it stumbles over one."""
        try:
            return function(run, this)
        except PlacedError as error:
            raise placed(error, self.text) from None
        except CqlError as error:
            raise FhirPathError(f"FHIRPath: {error}") from None
        except RecursionError:
            raise FhirPathError("FHIRPath: the expression is nested too deep; split it") from None
        except SHAPE:
            if self._scope.careful:
                raise
        return self._carefully()._guarded(careful(self._carefully()._compiled), careful, run, this)

    def _carefully(self) -> "FhirPath":
        scope = replace(self._scope, careful=True)
        if self._careful is None:
            self._careful = compile_tree(self._tree, scope)
        return FhirPath(self.text, self._tree, scope, self._careful)


def compile_fhirpath(
    text: str,
    *,
    context_type: str | None = None,
    strict: bool = False,
    variables: Iterable[str] | None = None,
    several_as: bool = False,
) -> FhirPath:
    """Return an expression, ready to be evaluated.

    Args:
        text: the expression.
        context_type: the R4 type that it is about; strict mode checks elements from there on.
        strict: elements that R4 does not have are refused, not empty.
        variables: names of the variables that will be given; None allows any.
        several_as: `as` takes several items, as the rules of R4 itself ask of it.

    Raises:
        FhirPathError: it cannot be read, names an unknown function or type, or, in strict mode, an
            element that is not there. It has line and column.
    """
    types = None
    if context_type is not None:
        types = named_type("FHIR", context_type) or None
    scope = Scope(
        types,
        strict=strict,
        names=None if variables is None else frozenset(variables),
        several=several_as,
    )
    try:
        tree = parse(text)
        compiled = compile_tree(tree, scope)
    except PlacedError as error:
        raise placed(error, text) from None
    except RecursionError:
        raise FhirPathError("FHIRPath: the expression is nested too deep; split it") from None
    return FhirPath(text, tree, scope, compiled)


def _run(
    resource: Value,
    *,
    context: Node | None,
    root: Value,
    variables: Mapping[str, Value] | None,
    now: DateTime | None,
    services: Services | None,
) -> Run:
    node = root_node(resource)
    return Run(
        context=[context or node],
        resource=[node],
        root=[node if root is None else root_node(root)],
        variables={name: _given(value) for name, value in (variables or {}).items()},
        now=now,
        services=services or NO_SERVICES,
    )


NO_SERVICES = Services()


def _given(value: Value) -> Items:
    """Return a variable: JSON becomes items, items stay."""
    items: Items = []
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, dict | float) or each is None:
            add_untyped(each, items)
        else:
            items.append(each)
    return items
