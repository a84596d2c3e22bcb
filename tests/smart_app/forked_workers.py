"""`ivfhir worker --once`, in a process of its own each time, from one that has loaded everything.

Each line on standard input is a settings file. The answer is two lines: the id of the new process,
and how it ended. What is forked is the command itself; only loading the protocols is saved.
"""

import os
import sys
from functools import partial

from ivfhir.cli.main import main
from ivfhir.evaluate import evaluate
from ivfhir.expressions.values import DateTime
from ivfhir.fhir.json import loads
from ivfhir.knowledge.load import load_protocols
from ivfhir.knowledge.registry import Registry
from ivfhir.knowledge.route import load_route
from ivfhir.read import read_record
from ivfhir.servers.memory import MemoryRepository
from smart_app import worker
from smart_app.app import create_app
from smart_app.fake_ehr.sample_patients import FOLDER


def serve() -> None:
    """Fork a worker for each line."""
    registry = Registry()
    protocols = load_protocols(registry)
    text = next(FOLDER.glob("halloran-*.json")).read_text(encoding="utf-8")
    resources = [entry["resource"] for entry in loads(text, place="halloran")["entry"]]
    types = {each["resourceType"] for each in resources}
    record = read_record(MemoryRepository(resources), "halloran", types)
    as_of = DateTime.parse("2025-03-03T12:00:00+00:00")
    evaluate(record, protocols.values(), as_of=as_of, route=load_route(registry))

    worker.create_app = partial(create_app, protocols=lambda _: protocols)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            os._exit(main(["worker", "--once", "--config", line.strip()]))
        _tell(child)
        _, status = os.waitpid(child, 0)
        _tell(os.waitstatus_to_exitcode(status))


def _tell(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    serve()
