"""The action tree of a PlanDefinition: walk it, and refuse at load what `ivfhir.plan` cannot do.

See http://hl7.org/fhir/R4/plandefinition.html and http://hl7.org/fhir/R4/plandefinition-operation-apply.html.
"""

from collections.abc import Collection, Iterator, Mapping

from ivfhir.errors import KnowledgeError, UnsupportedError
from ivfhir.fhir.simple_path import parse_path
from ivfhir.fhir.types import Resource

LANGUAGE = "text/cql"
"""The language of every expression; it holds the bare name of a define."""

PROTECTED = frozenset({"resourceType", "id", "status", "intent", "subject", "doNotPerform"})
"""Elements that make a request a draft for this patient; no dynamicValue changes them."""


def walk_actions(element: Resource) -> Iterator[Resource]:
    """Yield each action below a PlanDefinition, a RequestGroup or an action, parents first."""
    for action in element.get("action", []):
        yield action
        yield from walk_actions(action)


def expressions(action: Resource) -> Iterator[Resource]:
    """Yield the action's own expressions: of its conditions and of its dynamic values."""
    for holder in (*action.get("condition", []), *action.get("dynamicValue", [])):
        yield holder.get("expression", {})


def check_actions(plan_definition: Resource, defines: Mapping[str, Collection[str]]) -> None:
    """Refuse a plan that needs what we do not have.

    Args:
        plan_definition: the PlanDefinition.
        defines: canonical `url|version` of each library of the plan -> names of its defines.

    Raises:
        KnowledgeError: an action has no id, or one that is taken; an expression names no define.
        UnsupportedError: another expression language, a path that is not simple or is protected, a
            nested PlanDefinition or Questionnaire, a leaf without definition, a group with one.
    """
    seen: set[str] = set()
    for action in walk_actions(plan_definition):
        action_id = action.get("id")
        if action_id is None or action_id in seen:
            raise KnowledgeError(
                f"An action of {plan_definition['id']} has the id {action_id}; "
                "give each action an id of its own."
            )
        seen.add(action_id)
        _check_shape(action)
        check_expressions(action, defines)


def check_expressions(element: Resource, defines: Mapping[str, Collection[str]]) -> None:
    """Refuse an expression, or the path of a dynamic value, that we do not have.

    Args:
        element: an action or an ActivityDefinition.
        defines: as for `check_actions`.

    Raises:
        KnowledgeError: an expression names no define.
        UnsupportedError: another language; a path that is not simple, or is protected.
    """
    for dynamic_value in element.get("dynamicValue", []):
        _check_path(element["id"], dynamic_value.get("path", ""))
    for expression in expressions(element):
        _check_expression(element["id"], expression, defines)


def _check_shape(action: Resource) -> None:
    definition = action.get("definitionCanonical")
    if "definitionUri" in action or (definition and "/ActivityDefinition/" not in definition):
        raise UnsupportedError(
            f"Action {action['id']} is defined by {definition or action['definitionUri']}; "
            "only ActivityDefinitions are supported."
        )
    if bool(definition) == bool(action.get("action")):
        raise UnsupportedError(
            f"Action {action['id']} must have either a definition or actions of its own: "
            "a RequestGroup knows nothing else (rqg-1)."
        )


def _check_path(owner: str, path: str) -> None:
    if parse_path(path)[0] in PROTECTED:
        raise UnsupportedError(
            f"{owner} would change '{path}', which must stay as drafted; remove it."
        )


def _check_expression(
    owner: str, expression: Resource, defines: Mapping[str, Collection[str]]
) -> None:
    language = expression.get("language")
    if language != LANGUAGE:
        raise UnsupportedError(
            f"{owner} has an expression in {language}; only the bare name of a define "
            f"in {LANGUAGE} is supported."
        )
    find_define(owner, expression, defines)


def find_define(
    owner: str, expression: Resource, defines: Mapping[str, Collection[str]]
) -> tuple[str, str]:
    """Return the library and the define that an expression means.

    Args:
        owner: id of the action or activity, for the message.
        expression: its `reference` picks the library; without one the name must stand in exactly
            one of them.
        defines: canonical of each library of the plan -> names of its defines.

    Raises:
        KnowledgeError: the plan does not list the library, none defines the name, or several do.
    """
    name, reference = str(expression.get("expression")), expression.get("reference")
    if reference is not None and reference not in defines:
        raise KnowledgeError(
            f"{owner} refers to library {reference}, which the plan does not list."
        )
    asked = list(defines) if reference is None else [str(reference)]
    found = [library for library in asked if name in defines[library]]
    if not found:
        raise KnowledgeError(f"{owner} names {name}, which {' or '.join(asked)} does not define.")
    if len(found) > 1:
        raise KnowledgeError(
            f"{owner} names {name}, which {' and '.join(found)} define; "
            "give the expression a reference to one of them."
        )
    return found[0], name
