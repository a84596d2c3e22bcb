"""`python -m benchmarks.hostile`: hostile answers of an EHR, from a seed, and what they did."""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from benchmarks.hostile.run import attack


def main(arguments: list[str] | None = None) -> int:
    """Run; print the figures; return 1 when a bound was broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hostile", description=__doc__)
    parser.add_argument("--cases", type=int, default=560, help="how many answers (560)")
    parser.add_argument("--seed", type=int, default=8, help="of the random numbers (8)")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        seen = attack(Path(folder), seed=options.seed, count=options.cases)
        if seen.faults:
            log = (Path(folder) / "app.log").read_text(encoding="utf-8")
            print(log[-4000:], file=sys.stderr)
    print(json.dumps(seen.report(), indent=2))
    return 1 if seen.faults else 0


if __name__ == "__main__":
    sys.exit(main())
