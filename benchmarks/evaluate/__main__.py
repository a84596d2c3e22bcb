"""`python -m benchmarks.evaluate`: both rates and their ratio, as JSON."""

import argparse
import json
import os
import platform
import sys

from benchmarks.evaluate import java_engine, ours
from benchmarks.evaluate.patients import RESOURCES_PER_PATIENT, make_patients


def main(arguments: list[str] | None = None) -> int:
    """Run both engines; return 1 when they disagree on any patient."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evaluate", description=__doc__)
    parser.add_argument("--patients", type=int, default=200, help="different patients (200)")
    parser.add_argument("--warm-up", type=float, default=20, help="seconds before the clock (20)")
    parser.add_argument("--seconds", type=float, default=20, help="seconds on the clock (20)")
    options = parser.parse_args(arguments)
    patients = make_patients(options.patients)
    times = {"warm_up_s": options.warm_up, "seconds": options.seconds}
    theirs = java_engine.run(patients, **times)
    own = ours.run(patients, **times)
    differing = [
        f"patient {number}: ours {own_answer}, Java {their_answer}"
        for number, (own_answer, their_answer) in enumerate(
            zip(own.answers, theirs.answers, strict=True)
        )
        if own_answer != their_answer
    ]
    if differing:
        print("\n".join(differing), file=sys.stderr)
        return 1
    report = {
        "benchmark": "LUNG decided, from JSON to decision, one thread",
        "patients": options.patients,
        "resourcesPerPatient": RESOURCES_PER_PATIENT,
        "warmUpSeconds": options.warm_up,
        "oursPerSecond": round(own.rate, 1),
        "javaPerSecond": round(theirs.rate, 1),
        "ratio": round(own.rate / theirs.rate, 2),
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
    }
    print(json.dumps(report, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
