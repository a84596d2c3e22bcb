"""What profiles say of HAPI and sekmet: a transaction is answered with what was stored."""

import json
from pathlib import Path

import pytest

from ivfhir.fhir.references import reference_of
from ivfhir.servers.http import HttpRepository
from ivfhir.sync.decide import decide
from ivfhir.sync.foreseen import Foreseen
from ivfhir.sync.ledger import Ledger
from ivfhir.sync.plans import read_plans
from ivfhir.sync.run import Target
from tests.ivfhir.sync.scene import patient

pytestmark = pytest.mark.server
GOLDEN = Path(__file__).parents[1] / "golden/CarePlan-V01.json"


@pytest.mark.parametrize("server", ["sekmet", "hapi"])
def test_what_the_answer_shows_is_what_is_read_afterwards(server, request, tmp_path):
    base = request.getfixturevalue(server)
    patient(base, "shown")
    text = GOLDEN.read_text().replace("in-v01-standard", "shown")
    (tmp_path / "plan.json").write_text(text)
    [plan] = read_plans([tmp_path])[0]
    target = Target(base, lambda: HttpRepository(base, prefer="minimal"), Ledger(None))
    target.meet()
    assert target.place.means.profile.representation
    foreseen = Foreseen(target.place.server, lambda: 0.0, shows=True)
    foreseen.transact(decide(plan, target.place).bundle)
    shown = dict(foreseen._held)
    assert len(shown) == 46, "all but the plan"
    for reference, resource in shown.items():
        kind, _, name = reference.partition("/")
        stored = target.place.server.read(kind, name)
        assert reference_of(resource) == reference
        assert json.dumps(resource, default=str) == json.dumps(stored, default=str)
