"""`python -m tools.r4 build|check`."""

import hashlib
import json
import sys
from pathlib import Path

from tools.r4 import (
    code_systems,
    definitions,
    extensions,
    profiles,
    rules,
    search_parameters,
    source,
    value_sets,
)

FOLDER = Path(__file__).parents[2] / "ivfhir" / "fhir" / "r4"
TABLE = FOLDER / "definitions.json"
RULES = FOLDER / "rules.json"
VALUE_SETS = FOLDER / "value_sets.json"
EXTENSIONS = FOLDER / "extensions.json"
PROFILES = FOLDER / "profiles.json"
CODE_SYSTEMS = FOLDER / "code_systems.json"
SEARCH_PARAMETERS = FOLDER / "search_parameters.json"
LOCK = FOLDER / "lock.json"
BUNDLES = ("Bundle-types.json", "Bundle-resources.json")
SETS = "Bundle-valuesets.json"
EXPANSIONS = "Bundle-valueset-expansions.json"
PROFILE_DEFINITIONS = "Bundle-profiles-others.json"
SEARCHES = "Bundle-searchParams.json"
EXTENSION_DEFINITIONS = "Bundle-extensions.json"
BUILDERS = [
    *sorted(Path(__file__).parent.glob("*.py")),
    FOLDER.parent / "expansions.py",
    FOLDER.parent / "typed.py",
]
"""All that makes the tables: this tool, and what it asks of ivfhir."""


def main(arguments: list[str]) -> int:
    """Write tables and lock, or tell whether the committed ones belong to this tool."""
    if arguments == ["build"]:
        for path, text in built().items():
            path.write_text(text, encoding="utf-8")
        LOCK.write_text(json.dumps(lock(), indent=2) + "\n", encoding="utf-8")
        return 0
    if arguments != ["check"]:
        print("python -m tools.r4 build|check", file=sys.stderr)
        return 2
    if json.loads(LOCK.read_text(encoding="utf-8")) != lock():
        print(f"{FOLDER.name}/ is not what tools/r4 writes: run python -m tools.r4 build")
        return 1
    return 0


def built() -> dict[Path, str]:
    """Return each table of the specification, which is fetched where it is not in the cache."""
    archive, terminology = source.fetch(), source.fetch(source.TERMINOLOGY)
    resources = [each for name in BUNDLES for each in source.read_bundle(archive, name)]
    table = definitions.build_table(resources)
    expanded = source.read_bundle(archive, EXPANSIONS)
    known = profiles.build_profiles([*resources, *source.read_bundle(archive, PROFILE_DEFINITIONS)])
    return {
        TABLE: definitions.as_text(table),
        VALUE_SETS: value_sets.as_text(
            value_sets.build_value_sets(expanded, table, source.read_bundle(archive, SETS))
        ),
        EXTENSIONS: extensions.as_text(
            extensions.build_extensions(source.read_bundle(archive, EXTENSION_DEFINITIONS))
        ),
        PROFILES: profiles.as_text(known),
        CODE_SYSTEMS: code_systems.as_text(
            code_systems.build_code_systems(
                [*source.read_code_systems(archive), *source.read_code_systems(terminology)]
            )
        ),
        SEARCH_PARAMETERS: search_parameters.as_text(
            search_parameters.build_search_parameters(source.read_bundle(archive, SEARCHES))
        ),
        RULES: rules.as_text(rules.build_rules(resources)),
    }


def lock() -> dict[str, str]:
    """Return what the tables were made of, and by what."""
    tables = (
        TABLE,
        RULES,
        VALUE_SETS,
        EXTENSIONS,
        PROFILES,
        CODE_SYSTEMS,
        SEARCH_PARAMETERS,
    )
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in tables}
    tool = hashlib.sha256(b"".join(path.read_bytes() for path in BUILDERS)).hexdigest()
    return {
        "source": f"npm {source.R4.name}@{source.R4.version}",
        "sourceSha256": source.R4.sha256,
        "terminology": f"npm {source.TERMINOLOGY.name}@{source.TERMINOLOGY.version}",
        "terminologySha256": source.TERMINOLOGY.sha256,
        "toolSha256": tool,
        **digests,
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
