"""`python -m tools.r4 build|check`."""

import hashlib
import json
import sys
from pathlib import Path

from tools.r4 import source
from tools.r4.definitions import as_text, build_table

FOLDER = Path(__file__).parents[2] / "ivfhir" / "fhir" / "r4"
TABLE = FOLDER / "definitions.json"
LOCK = FOLDER / "definitions.lock.json"
BUNDLES = ("Bundle-types.json", "Bundle-resources.json")
BUILDER = Path(__file__).with_name("definitions.py")


def main(arguments: list[str]) -> int:
    """Write the table and its lock, or tell whether the committed ones belong to this tool."""
    if arguments == ["build"]:
        text = built()
        TABLE.write_text(text, encoding="utf-8")
        LOCK.write_text(json.dumps(lock_of(text), indent=2) + "\n", encoding="utf-8")
        return 0
    if arguments != ["check"]:
        print("python -m tools.r4 build|check", file=sys.stderr)
        return 2
    if json.loads(LOCK.read_text(encoding="utf-8")) != lock_of(TABLE.read_text(encoding="utf-8")):
        print(f"{TABLE.name} is not what tools/r4 writes: run python -m tools.r4 build")
        return 1
    return 0


def built() -> str:
    """Return the table of the specification, fetched where it is not in the cache."""
    archive = source.fetch()
    return as_text(build_table([r for name in BUNDLES for r in source.read_bundle(archive, name)]))


def lock_of(text: str) -> dict[str, str]:
    """Return what a table was made of, and by what."""
    return {
        "source": f"npm {source.PACKAGE}@{source.VERSION}",
        "sourceSha256": source.SHA256,
        "toolSha256": hashlib.sha256(BUILDER.read_bytes()).hexdigest(),
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
