"""`python -m benchmarks.fhirpath`: patients a second of three engines, and their ratios.

All answer alike, else there is no figure. After a warm-up they take turns, so that whatever else
the machine does falls on all; a ratio is the median of the ratios of one turn.
"""

import argparse
import json
import os
import platform
import sys
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.evaluate.patients import RESOURCES_PER_PATIENT, make_patients
from benchmarks.fhirpath import peers
from benchmarks.fhirpath.conditions import CONDITIONS
from benchmarks.fhirpath.ours import Ours


def main(arguments: list[str] | None = None) -> int:
    """Run the engines; return 1 when they disagree, or a peer cannot be installed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fhirpath", description=__doc__)
    parser.add_argument("--patients", type=int, default=20, help="different patients (20)")
    parser.add_argument("--turns", type=int, default=5, help="turns each on the clock (5)")
    parser.add_argument("--seconds", type=float, default=2, help="seconds a turn (2)")
    options = parser.parse_args(arguments)
    if problem := peers.missing():
        print(problem, file=sys.stderr)
        return 1
    patients = make_patients(options.patients)
    ours = Ours(patients, list(CONDITIONS.values()))
    with TemporaryDirectory() as folder, ExitStack() as stack:
        files = written(Path(folder), patients)
        engines: dict[str, Ours | peers.Peer] = {
            "ours": ours,
            "fhirpathpy": stack.enter_context(peers.started(peers.python_command(), *files)),
            "fhirpath.js": stack.enter_context(peers.started(peers.node_command(), *files)),
        }
        if problems := differences(engines):
            print("\n".join(problems), file=sys.stderr)
            return 1
        turns = [
            {name: engine.run_for(options.seconds) for name, engine in engines.items()}
            for _ in range(options.turns + 1)
        ][1:]
    print(json.dumps(report(turns, engines, len(patients)), indent=2))
    return 0


def written(folder: Path, patients: list[bytes]) -> tuple[Path, Path]:
    """Write what the peers read: patients and conditions."""
    files = folder / "patients.json", folder / "conditions.json"
    files[0].write_text(f"[{','.join(each.decode() for each in patients)}]")
    files[1].write_text(json.dumps(list(CONDITIONS.values())))
    return files


def differences(engines: dict[str, Ours | peers.Peer]) -> list[str]:
    """Return one line for each condition and patient on which an engine differs from ours."""
    wanted = engines["ours"].answers
    return [
        f"{name}, patient {number}, {condition}: {theirs}, ours {own}"
        for name, engine in engines.items()
        for number, rows in enumerate(zip(engine.answers, wanted, strict=True))
        for condition, theirs, own in zip(CONDITIONS, *rows, strict=True)
        if theirs != own
    ]


def report(
    turns: list[dict[str, float]], engines: dict[str, Ours | peers.Peer], patients: int
) -> dict[str, Any]:
    """Return the figures."""
    return {
        "benchmark": f"{len(CONDITIONS)} conditions over a Bundle, one thread, no index of codes",
        "patients": patients,
        "entriesPerPatient": RESOURCES_PER_PATIENT,
        "patientsPerSecond": {
            name: round(median(turn[name] for turn in turns), 1) for name in engines
        },
        "ratio": {
            name: round(median(turn["ours"] / turn[name] for turn in turns), 1)
            for name in engines
            if name != "ours"
        },
        "compileMsPerLine": {name: round(each.compile_ms, 3) for name, each in engines.items()},
        "peers": [peers.FHIRPATHPY, peers.FHIRPATH_JS],
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
    }


if __name__ == "__main__":
    sys.exit(main())
