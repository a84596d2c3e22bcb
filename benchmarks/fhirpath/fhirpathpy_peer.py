"""fhirpathpy with its R4 model, in an environment of its own; talks as fhirpath_js_peer.js does."""

import json
import sys
import time
from pathlib import Path
from statistics import median

from fhirpathpy import compile as compile_path
from fhirpathpy.models import models


def main(patients_file: str, conditions_file: str) -> None:
    """Answer once for each patient, then measure for as many seconds as each line says."""
    patients = json.loads(Path(patients_file).read_text())
    conditions = json.loads(Path(conditions_file).read_text())
    rounds = []
    for _ in range(5):
        began = time.perf_counter()
        compiled = [compile_path(text, models["r4"]) for text in conditions]
        rounds.append(time.perf_counter() - began)
    compile_ms = median(rounds) * 1000 / len(conditions)
    answers = [[condition(patient, {}) for condition in compiled] for patient in patients]
    print(json.dumps({"answers": answers, "compileMs": compile_ms}), flush=True)
    for line in sys.stdin:
        start, count = time.perf_counter(), 0
        while time.perf_counter() - start < float(line):
            for condition in compiled:
                condition(patients[count % len(patients)], {})
            count += 1
        told = {"count": count, "seconds": time.perf_counter() - start}
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
