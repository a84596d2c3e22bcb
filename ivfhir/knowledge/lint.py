"""`python -m ivfhir.knowledge.lint [FOLDER]`: does each protocol keep the rules of authoring?

Prints a line a finding; exit status 1 when there is one. That the ELM is what its CQL gives is
checked where it is built (`make stale`).
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from ivfhir.errors import KnowledgeError, UnsupportedError
from ivfhir.fhir.types import Resource
from ivfhir.knowledge.contract import contract_problems
from ivfhir.knowledge.criteria import criterion_names
from ivfhir.knowledge.dosing_rules import FACTS, FILE, DosingRules, dosing_rules, windows_of
from ivfhir.knowledge.package import (
    NO_PROTOCOLS,
    REGIMENS,
    SHARED,
    knowledge_root,
    read_json,
)
from ivfhir.knowledge.parameters import is_bound
from ivfhir.knowledge.regimens import read_regimen
from ivfhir.knowledge.registry import Registry
from ivfhir.knowledge.rules.artefacts import TYPES, artefact_findings, canonical_findings
from ivfhir.knowledge.rules.cql import criterion_findings, text_findings
from ivfhir.knowledge.rules.plans import activity_findings, plan_findings
from ivfhir.knowledge.rules.readme import listed_criteria, readme_findings


def lint(root: Path | None = None) -> list[str]:
    """Return the findings below a folder of protocols, as `file: sentence`; empty when all holds.

    Args:
        root: a folder like plan_definitions/; None is ours.
    """
    root = root or knowledge_root()
    return [f"{path.relative_to(root)}: {text}" for path, text in _findings(root)]


def _findings(root: Path) -> Iterator[tuple[Path, str]]:
    paths = sorted(path for kind in TYPES for path in root.glob(f"*/{kind}-*.json"))
    resources = {path: read_json(path) for path in paths}
    versions = {each.get("url", ""): each.get("version", "") for each in resources.values()}
    for path, resource in resources.items():
        yield from _on(path, artefact_findings(path, resource))
        yield from _on(path, canonical_findings(resource, versions))
        if resource.get("resourceType") == "ActivityDefinition":
            yield from _on(path, activity_findings(resource))
    for path in sorted(root.glob("*/cql/*.cql")):
        yield from _on(path, text_findings(path.read_text(encoding="utf-8")))
    registry = Registry()
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        if folder.name not in NO_PROTOCOLS:
            yield from _protocol(folder, resources, registry)
    try:
        rules = dosing_rules(root / SHARED if (root / SHARED / FILE).is_file() else None)
    except KnowledgeError as error:
        yield root / SHARED / FILE, error.message
        return
    yield from _on(root / SHARED / FILE, window_findings(root / SHARED, rules))
    yield from _regimens(root / REGIMENS, resources, rules)


def window_findings(shared: Path, rules: DosingRules) -> Iterator[str]:
    """Yield the inputs of a dose whose fact is not there, or counts for other days in CQL."""
    path = shared / "cql" / f"{FACTS}.json"
    if not path.is_file():
        return
    library = read_json(path)["library"]
    defines, windows = set(_names(library, "statements")), windows_of(library)
    for name, known in rules.inputs.items():
        if known.fact and known.fact not in defines:
            yield f"input {name}: {FACTS} has no define {known.fact}"
        elif known.fact and windows.get(known.fact) != known.window_days:
            days = windows.get(known.fact, "any number of")
            yield f"input {name}: {FACTS} lets {known.fact} count for {days} days; say the same"


def _regimens(
    folder: Path, resources: dict[Path, Resource], rules: DosingRules
) -> Iterator[tuple[Path, str]]:
    """Yield the regimens that cannot be read as such."""
    for path, resource in resources.items():
        if path.parent == folder and resource.get("resourceType") == "PlanDefinition":
            try:
                read_regimen(resource, rules)
            except KnowledgeError as error:
                yield path, error.message


def _protocol(
    folder: Path, resources: dict[Path, Resource], registry: Registry
) -> Iterator[tuple[Path, str]]:
    plans = [path for path in resources if path.match(f"{folder.name}/PlanDefinition-*.json")]
    if len(plans) != 1:
        yield folder, f"{len(plans)} PlanDefinitions; a protocol has one"
        return
    plan_definition, readme = resources[plans[0]], folder / "README.md"
    try:
        package = registry.package(folder)
        registry.library(package, plan_definition["library"][0])
        documents = package.elm(plan_definition["library"][0])
        compiled = registry.linked(documents)
        problems = contract_problems(plan_definition, documents, compiled)
        libraries = {each: package.elm(each)[0]["library"] for each in plan_definition["library"]}
        library = documents[0]["library"]
        rows = criterion_names([document["library"] for document in documents])
    except (KnowledgeError, UnsupportedError) as error:
        yield plans[0], error.message
        return
    yield from (_placed(folder, each) or (plans[0], each) for each in problems)
    statements = {each: _names(library, "statements") for each, library in libraries.items()}
    parameters = dict.fromkeys(
        name
        for each in libraries.values()
        for name in _names(each, "parameters")
        if not is_bound(name)
    )
    yield from _on(plans[0], plan_findings(plan_definition, statements))
    if not readme.is_file():
        yield readme, "it is missing"
        return
    text = readme.read_text(encoding="utf-8")
    cases = [
        path.name for each in (folder, folder.parent / SHARED) for path in each.glob("cases/*/")
    ]
    yield from _on(
        readme, readme_findings(text, plan_definition, parameters=parameters, cases=cases)
    )
    yield from _on(
        plans[0],
        criterion_findings(listed_criteria(text), rows, f"{library['identifier']['id']}_Criteria"),
    )


def _names(library: Resource, kind: str) -> list[str]:
    """Return the names that an ELM library gives its statements or its parameters."""
    return [each["name"] for each in library.get(kind, {}).get("def", [])]


def _placed(folder: Path, problem: str) -> tuple[Path, str] | None:
    """Return the CQL file with the line of the define that a problem begins with, if it is ours."""
    name, _, rest = problem.partition(" of ")
    path = folder / "cql" / rest.partition(" ")[0]
    if path.suffix != ".cql" or not path.is_file():
        return None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith(f"define {name}:"):
            return path, f"line {number}: {problem}"
    return None


def _on(path: Path, findings: Iterator[str]) -> Iterator[tuple[Path, str]]:
    return ((path, text) for text in findings)


def main(arguments: list[str] | None = None) -> int:
    """Print the findings; return the exit status: 0 none, 1 some."""
    folder = (arguments if arguments is not None else sys.argv[1:])[:1]
    findings = lint(Path(folder[0]) if folder else None)
    for finding in findings:
        sys.stdout.write(f"{finding}\n")
    sys.stdout.write(f"protocols: {len(findings)} findings\n")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
