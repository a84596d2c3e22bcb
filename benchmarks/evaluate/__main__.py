"""`python -m benchmarks.evaluate`: both rates and their ratio, and the cost of seven protocols.

After the warm-up the two engines take turns, so that whatever else the machine does falls on both;
a rate is the median of its turns, the ratio the median of the ratios of neighbouring turns.
"""

import argparse
import json
import os
import platform
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.evaluate import java_engine
from benchmarks.evaluate.copies import write_copies
from benchmarks.evaluate.engine import Engine
from benchmarks.evaluate.ours import OurEvaluator
from benchmarks.evaluate.patients import RESOURCES_PER_PATIENT, make_patients

COPIES = 6
"""LUNG and so many copies of it are decided together."""


def main(arguments: list[str] | None = None) -> int:
    """Run both engines; return 1 when they disagree on any patient."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evaluate", description=__doc__)
    parser.add_argument("--patients", type=int, default=200, help="different patients (200)")
    parser.add_argument("--warm-up", type=int, default=1500, help="patients off the clock (1500)")
    parser.add_argument("--turns", type=int, default=5, help="turns each on the clock (5)")
    parser.add_argument("--seconds", type=float, default=5, help="seconds a turn (5)")
    options = parser.parse_args(arguments)
    patients = make_patients(options.patients)
    ours = OurEvaluator(patients)
    with TemporaryDirectory() as folder:
        seven = OurEvaluator(patients, write_copies(Path(folder), COPIES))
    if not seven.all_agree():
        print("the copies of LUNG decide otherwise than LUNG", file=sys.stderr)
        return 1
    with java_engine.started(patients) as theirs:
        if differing := differences(ours, theirs):
            print("\n".join(differing), file=sys.stderr)
            return 1
        warm_up(theirs, options.warm_up)
        warm_up(ours, options.warm_up)
        warm_up(seven, options.warm_up)
        turns = [
            tuple(engine.run_for(options.seconds).rate for engine in (ours, theirs, seven))
            for _ in range(options.turns)
        ]
    report = {
        "benchmark": "LUNG decided, from JSON to decision, one thread",
        "patients": options.patients,
        "resourcesPerPatient": RESOURCES_PER_PATIENT,
        "oursPerSecond": round(median(own for own, _, _ in turns), 1),
        "javaPerSecond": round(median(their for _, their, _ in turns), 1),
        "ratio": round(median(own / their for own, their, _ in turns), 2),
        "sevenProtocolsPerSecond": round(median(seven for _, _, seven in turns), 1),
        "sevenProtocolsCost": round(median(own / seven for own, _, seven in turns), 2),
        "turns": [[round(rate, 1) for rate in turn] for turn in turns],
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
    }
    print(json.dumps(report, indent=2))
    return 0


def warm_up(engine: Engine, patients: int) -> None:
    """Let an engine decide at least so many patients."""
    done = 0
    while done < patients:
        done += engine.run_for(1).patients


def differences(ours: Engine, theirs: Engine) -> list[str]:
    """Return one line for each patient on whom the engines differ."""
    pairs = enumerate(zip(ours.answers(), theirs.answers(), strict=True))
    return [f"patient {n}: ours {own}, Java {their}" for n, (own, their) in pairs if own != their]


if __name__ == "__main__":
    sys.exit(main())
