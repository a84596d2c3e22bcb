"""What a protocol's README tells clinicians."""

import re
from collections.abc import Collection, Iterator

from ivfhir.fhir.types import Resource
from ivfhir.knowledge.actions import walk_actions

_CASE = re.compile(r"`((?:in|out|undecided)-[a-z0-9.\-]+)`")
_CRITERION = re.compile(r"^\| `([A-Z]+-[A-Z0-9]+)` \|", re.MULTILINE)


def listed_criteria(readme: str) -> list[str]:
    """Return the criteria that a README lists: the first cells of its tables before the actions."""
    return _CRITERION.findall(readme.partition("## Actions")[0])


def readme_findings(
    readme: str,
    plan_definition: Resource,
    *,
    parameters: Collection[str],
    cases: Collection[str],
) -> Iterator[str]:
    """Yield what a README does not tell, or tells wrongly.

    Args:
        readme: its text.
        plan_definition: the PlanDefinition of the same folder.
        parameters: names of the library's parameters.
        cases: names of the protocol's cases and of the shared ones.
    """
    for case in sorted(set(_CASE.findall(readme)) - set(cases)):
        yield f"the case {case} does not exist"
    if not listed_criteria(readme):
        yield "no table of criteria, each row starting with | `ID` |"
    definitions = {
        action["definitionCanonical"].partition("|")[0].rpartition("/")[2]
        for action in walk_actions(plan_definition)
        if "definitionCanonical" in action
    }
    labels = {each.get("label", "") for each in plan_definition.get("relatedArtifact", [])}
    goals = {goal.get("id", "") for goal in plan_definition.get("goal", [])}
    for name in sorted(definitions | goals | {label for label in labels if label[:1].isupper()}):
        if name not in readme:
            yield f"{name} is not mentioned"
    for name in parameters:
        if f"`{name}`" not in readme:
            yield f"the parameter {name} is not mentioned"
    if f"| {plan_definition.get('version')} |" not in readme:
        yield f"the history has no row for version {plan_definition.get('version')}"
