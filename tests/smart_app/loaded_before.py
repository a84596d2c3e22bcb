"""What is loaded before app and worker are forked: see `tests.forked_commands`."""

from ivfhir.evaluate import evaluate
from ivfhir.expressions.values import DateTime
from ivfhir.fhir.json import loads
from ivfhir.knowledge.load import load_protocols
from ivfhir.knowledge.registry import Registry
from ivfhir.knowledge.route import load_route
from ivfhir.read import read_record
from ivfhir.servers.memory import MemoryRepository
from smart_app import serve, worker
from smart_app.fake_ehr.sample_patients import FOLDER


def load_everything() -> None:
    """Load and compile all that an evaluation needs, for every app and worker to come."""
    registry = Registry()
    protocols = load_protocols(registry)
    text = next(FOLDER.glob("halloran-*.json")).read_text(encoding="utf-8")
    resources = [entry["resource"] for entry in loads(text, place="halloran")["entry"]]
    types = {each["resourceType"] for each in resources}
    record = read_record(MemoryRepository(resources), "halloran", types)
    as_of = DateTime.parse("2025-03-03T12:00:00+00:00")
    evaluate(record, protocols.values(), as_of=as_of, route=load_route(registry))

    serve.load_to_stay = worker.load_to_stay = lambda _: protocols
