"""`python -m tools.supply lock|upgrade|check|sbom`: what a deployment installs."""

import argparse
import sys
from collections.abc import Sequence

from tools.supply.lock import LOCK, ROOT, compile_lock
from tools.supply.sbom import write_sbom

SBOM = ROOT / "build" / "ivfhir.cdx.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status: 0 done, 1 the lock is stale."""
    parser = argparse.ArgumentParser(prog="python -m tools.supply", description=__doc__)
    parser.add_argument("command", choices=["lock", "upgrade", "check", "sbom"])
    command = parser.parse_args(arguments).command
    if command == "sbom":
        print(f"{SBOM}: {len(write_sbom(SBOM)['components'])} components")
        return 0
    wanted = compile_lock(None if command == "upgrade" else LOCK)
    if command != "check":
        LOCK.write_text(wanted, encoding="utf-8")
        print(f"{LOCK.name}: {wanted.count('==')} packages")
        return 0
    if not LOCK.exists() or LOCK.read_text(encoding="utf-8") != wanted:
        print(f"{LOCK.name} is stale: run `make lock`", file=sys.stderr)
        return 1
    print("lock: as pyproject.toml asks")
    return 0


if __name__ == "__main__":
    sys.exit(main())
