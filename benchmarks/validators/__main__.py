"""`python -m benchmarks.validators`: how far our validator agrees with HL7's and HAPI's, how fast.

Everything is fetched into caches; HAPI runs in a process of its own, with R4 alone and without a
terminology server. Ends with 1 where a bound is not kept.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.validators import judge, mutants
from benchmarks.validators.examples import (
    WRONG_MCODE,
    WRONG_R4,
    mcode_examples,
    plain,
    r4_examples,
)
from benchmarks.validators.official import (
    Agreement,
    agreement,
    explained,
    fetched_cases,
    write_others,
)
from ivfhir.fhir.json import loads
from ivfhir.fhir.types import Json, Resource
from ivfhir.validation import validate_resource
from tools import maven
from tools.r4 import source

EVERY = 3
"""Each third small example is judged by HAPI, and changed by chance where it is right."""
COLD_RUNS = 5
BOUNDS = {"official": 0.95, "faults": 0.99, "chance": 0.95, "medianMs": 5.0, "coldS": 1.0}
Bases = list[tuple[str, Resource]]


def main(arguments: list[str] | None = None) -> int:
    """Print the figures as JSON; return 1 where one misses its bound."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.validators", description=__doc__)
    parser.add_argument("--faults", type=int, default=500, help="mutants with one fault (500)")
    parser.add_argument("--chance", type=int, default=1000, help="mutants by chance (1000)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds on the clock (5)")
    parser.add_argument("--seed", type=int, default=1, help="of the mutants (1)")
    parser.add_argument("--write", action="store_true", help="write others.csv anew")
    options = parser.parse_args(arguments)
    problem = maven.missing_java() or source.missing_npm(source.R4, source.MCODE)
    if problem:
        print(problem, file=sys.stderr)
        return 1
    with fetched_cases() as jar:
        official = agreement(jar)
    if options.write:
        write_others(official.others)
    bases = small_examples()
    with judge.started() as hapi:
        told = {
            "official": official_figures(official),
            "examples": examples_figures(),
            "faults": faults_figures(bases, options.faults, options.seed),
            "chance": chance_figures(hapi, bases[::EVERY], options.chance, options.seed),
            "speed": speed_figures(hapi, options.rounds),
            "coldS": cold_start(),
            "python": platform.python_version(),
            "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        }
    told["missed"] = missed_bounds(told)
    print(json.dumps(told, indent=2))
    return 1 if told["missed"] else 0


def small_examples() -> Bases:
    """Return the right and small examples of R4: mutants are made of them."""
    return [
        (name, plain(name, text))
        for name, text in r4_examples()
        if len(text) < mutants.SMALL and name not in WRONG_R4
    ]


def official_figures(found: Agreement) -> dict[str, Any]:
    """Return how often HL7's cases and we agree on error or none, and each other case's reason."""
    return {
        "cases": found.cases,
        "agreement": found.share,
        "disagreements": explained(found),
        "leftOut": sum(found.others.values()),
    }


def examples_figures() -> dict[str, Any]:
    """Return how many examples there are, are known to be wrong, and are wrongly called so."""
    told = {}
    for name, examples, wrong in (
        ("r4", r4_examples(), WRONG_R4),
        ("mcode", mcode_examples(), WRONG_MCODE),
    ):
        count, false = 0, list[str]()
        for file, text in examples:
            count += 1
            rules = {each.rule for each in mutants.errors_of(loads(text, place=file))}
            false += [f"{file}: {rule}" for rule in sorted(rules - set(wrong.get(file, ())))]
        told[name] = {"examples": count, "wrong": len(wrong), "falseErrors": false}
    return told


def faults_figures(bases: Bases, count: int, seed: int) -> dict[str, Any]:
    """Return how many faults were told at their place."""
    made = list(mutants.faulty(bases, count, seed))
    wrong = mutants.missed(made)
    return {
        "mutants": count,
        "kinds": len({each.kind for each in made}),
        "caught": round(1 - len(wrong) / count, 4),
        "byKind": mutants.by_kind(made, wrong),
    }


def chance_figures(hapi: judge.Judge, bases: Bases, count: int, seed: int) -> dict[str, Any]:
    """Return how often HAPI and we agree on error or none of what was changed by chance."""
    right = [(name, each) for name, each in bases if not hapi.judge(each).errors]
    made = list(mutants.by_chance(right, count, seed))
    apart, who = list[mutants.Mutant](), Counter[str]()
    for each in made:
        theirs, own = hapi.judge(each.resource), mutants.errors_of(each.resource)
        if theirs.failed:
            who["HAPI fails"] += 1
        elif bool(theirs.errors) == bool(own):
            who["both" if own else "neither"] += 1
            continue
        else:
            who["HAPI alone" if theirs.errors else "we alone"] += 1
        apart.append(each)
    return {
        "mutants": count,
        "of": f"{len(right)} of {len(bases)} examples that both call right",
        "agreement": round(1 - len(apart) / count, 4),
        "errorBy": dict(who),
        "byKind": mutants.by_kind(made, apart),
    }


def speed_figures(hapi: judge.Judge, rounds: int) -> dict[str, Any]:
    """Return medians over the examples of mCODE, warm: ours as they are, both without profiles.

    The ratio is HAPI's by ours without profiles, of the same round.
    """
    examples = list(mcode_examples())
    given = [loads(text, place=name) for name, text in examples]
    bare = [plain(name, text) for name, text in examples]
    own, alike, theirs = list[float](), list[float](), list[float]()
    for _ in range(rounds + 1):
        own.append(median(timed(each) for each in given))
        alike.append(median(timed(each) for each in bare))
        theirs.append(median(hapi.judge(each).ms for each in bare))
    return {
        "examples": len(examples),
        "medianMs": round(median(own[1:]), 3),
        "withoutProfilesMs": round(median(alike[1:]), 3),
        "hapiMs": round(median(theirs[1:]), 3),
        "ratio": round(median(b / a for a, b in zip(alike[1:], theirs[1:], strict=True)), 1),
    }


def timed(resource: Json) -> float:
    """Return the milliseconds that a resource takes."""
    start = time.perf_counter()
    validate_resource(resource)
    return (time.perf_counter() - start) * 1e3


def cold_start() -> float:
    """Return the median seconds of the whole command for one example, a new process each."""
    name, text = next(mcode_examples())
    with TemporaryDirectory() as folder:
        file = Path(folder) / name
        file.write_text(text, encoding="utf-8")
        return round(median(run_once(file) for _ in range(COLD_RUNS)), 2)


def run_once(file: Path) -> float:
    """Return the seconds of one run of `ivfhir validate`."""
    start = time.perf_counter()
    command: Sequence[str] = [sys.executable, "-m", "ivfhir.cli.main", "validate", str(file)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def missed_bounds(told: dict[str, Any]) -> list[str]:
    """Return a sentence for each bound that is not kept."""
    least = {
        "official": told["official"]["agreement"],
        "faults": told["faults"]["caught"],
        "chance": told["chance"]["agreement"],
    }
    most = {"medianMs": told["speed"]["medianMs"], "coldS": told["coldS"]}
    said = [f"{k} is {v}, at least {BOUNDS[k]}" for k, v in least.items() if v < BOUNDS[k]]
    said += [f"{k} is {v}, at most {BOUNDS[k]}" for k, v in most.items() if v > BOUNDS[k]]
    said += [
        f"a false error in {each}"
        for name in told["examples"]
        for each in told["examples"][name]["falseErrors"]
    ]
    open_ = [n for n, reason in told["official"]["disagreements"].items() if not reason]
    return said + [f"{each} has no reason in official.csv" for each in open_]


if __name__ == "__main__":
    sys.exit(main())
