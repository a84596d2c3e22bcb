"""`python -m benchmarks.evaluate`: the rates of both engines, and what further protocols cost.

LUNG alone, all protocols with the route, all of them for patients to whom none applies, and LUNG
beside copies of itself. After the warm-up they take turns, so that whatever else the machine does
falls on all; a rate is the median of its turns, a ratio the median of the ratios of neighbouring
turns.
"""

import argparse
import gc
import json
import os
import platform
import sys
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.evaluate import java_engine
from benchmarks.evaluate.copies import all_agree, write_copies
from benchmarks.evaluate.engine import Engine
from benchmarks.evaluate.ours import Knowledge, OurEvaluator, every_protocol, some_protocols
from benchmarks.evaluate.patients import RESOURCES_PER_PATIENT, make_patients
from ivfhir.knowledge.route import NAME as ROUTE

COPIES = 6
"""LUNG and so many copies of it are decided together."""
LUNG = "LUNG"


def main(arguments: list[str] | None = None) -> int:
    """Run both engines; return 1 when they disagree on any patient."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evaluate", description=__doc__)
    parser.add_argument("--patients", type=int, default=200, help="different patients (200)")
    parser.add_argument("--warm-up", type=int, default=1500, help="patients off the clock (1500)")
    parser.add_argument("--turns", type=int, default=5, help="turns each on the clock (5)")
    parser.add_argument("--seconds", type=float, default=5, help="seconds a turn (5)")
    options = parser.parse_args(arguments)
    patients = make_patients(options.patients)
    others = make_patients(options.patients, cancer=False)
    lung, every = some_protocols(LUNG), every_protocol()
    with TemporaryDirectory() as folder:
        copied = some_protocols(LUNG, *write_copies(Path(folder), COPIES))
    ours, ours_all = OurEvaluator(patients, lung), OurEvaluator(patients, every)
    none, seven = OurEvaluator(others, every), OurEvaluator(patients, copied)
    if problems := [*none_problems(none, every), *copy_problems(seven, copied)]:
        return refused(problems)
    with java_engine.started(others, every.asked) as theirs:
        if problems := differences(every.names, none, theirs):
            return refused(problems)
    with (
        java_engine.started(patients, lung.asked) as java,
        java_engine.started(patients, every.asked) as java_all,
        java_engine.started(patients, every.asked, together=False) as java_each,
    ):
        if problems := [
            *differences(lung.names, ours, java),
            *differences(every.names, ours_all, java_all),
            *differences(every.names, ours_all, java_each),
        ]:
            return refused(problems)
        engines: dict[str, Engine] = {
            "ours": ours,
            "java": java,
            "seven": seven,
            "all": ours_all,
            "javaAll": java_all,
            "javaEach": java_each,
            "none": none,
        }
        gc.collect()
        gc.freeze()  # As `ivfhir serve` does once it has loaded the protocols.
        for engine in engines.values():
            warm_up(engine, options.warm_up)
        turns = [
            {name: engine.run_for(options.seconds).rate for name, engine in engines.items()}
            for _ in range(options.turns)
        ]
    report = {
        "benchmark": "LUNG decided, from JSON to decision, one thread",
        "patients": options.patients,
        "resourcesPerPatient": RESOURCES_PER_PATIENT,
        "oursPerSecond": rate(turns, "ours"),
        "javaPerSecond": rate(turns, "java"),
        "ratio": times(turns, "ours", "java"),
        "sevenProtocolsPerSecond": rate(turns, "seven"),
        "sevenProtocolsCost": times(turns, "ours", "seven"),
        "allProtocols": every.names,
        "allProtocolsPerSecond": rate(turns, "all"),
        "allProtocolsCost": times(turns, "ours", "all"),
        "javaAllPerSecond": rate(turns, "javaAll"),
        "allRatio": times(turns, "all", "javaAll"),
        "javaEachPerSecond": rate(turns, "javaEach"),
        "eachRatio": times(turns, "all", "javaEach"),
        "noneAppliesPerSecond": rate(turns, "none"),
        "noneAppliesCost": times(turns, "ours", "none"),
        "turns": [{name: round(each, 1) for name, each in turn.items()} for turn in turns],
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
    }
    print(json.dumps(report, indent=2))
    return 0


def rate(turns: list[dict[str, float]], name: str) -> float:
    """Return the patients a second."""
    return round(median(turn[name] for turn in turns), 1)


def times(turns: list[dict[str, float]], name: str, other: str) -> float:
    """Return how many times as fast one is as the other."""
    return round(median(turn[name] / turn[other] for turn in turns), 2)


def refused(problems: list[str]) -> int:
    """Say why there is no figure."""
    print("\n".join(problems), file=sys.stderr)
    return 1


def warm_up(engine: Engine, patients: int) -> None:
    """Let an engine decide at least so many patients."""
    done = 0
    while done < patients:
        done += engine.run_for(1).patients


def copy_problems(seven: Engine, copied: Knowledge) -> list[str]:
    """Return what is wrong with the copies of LUNG."""
    agree = all_agree(seven.answers(), copied.names)
    return [] if agree else ["the copies of LUNG decide otherwise than LUNG"]


def none_problems(none: Engine, every: Knowledge) -> list[str]:
    """Return one line for each patient to whom a protocol applies though none should."""
    return [
        f"patient {n}: {name} applies, {text}"
        for n, texts in enumerate(none.answers())
        for name, text in zip(every.names, texts, strict=False)
        if name != ROUTE and not text.startswith("not-applicable|")
    ]


def differences(names: Sequence[str], ours: Engine, theirs: Engine) -> list[str]:
    """Return one line for each patient and protocol on whom the engines differ."""
    pairs = enumerate(zip(ours.answers(), theirs.answers(), strict=True))
    return [
        f"patient {n}, {name}: ours {own}, Java {their}"
        for n, texts in pairs
        for name, own, their in zip_longest(names, *texts)
        if own != their
    ]


if __name__ == "__main__":
    sys.exit(main())
