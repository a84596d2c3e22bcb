"""App and worker killed while accepted plans are sent, again and again; then what is there.

`python -m tests.smart_app.kills --kills 1000` is the long form (`make faults`).
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import requests

from ivfhir.servers.http import HttpRepository
from tests.forked_commands import Commands, Running, forked_commands
from tests.long_runs import carry_on, chance_of, keep
from tests.servers.fault_proxy import Asked, FaultProxy, run_proxy
from tests.servers.sekmet_server import run_sekmet
from tests.smart_app.over_http import ONE_PLAN, HttpClinician, stored_parts
from tests.smart_app.test_killed_in_a_write import NO_PLAN, PATIENT, Ward, running_ward

_MOST_REQUESTS = 30
"""So many requests an accepted plan takes, from the click to the receipt."""

_FAULTS = ("503", "429", "500-html", "drop-before", "drop-after", "truncate", "wrong-type")
_TRIES = 12


@dataclass
class Tally:
    """What a series of kills left behind.

    Attributes:
        app, worker: how often each was killed.
        accepted: how many plans were accepted, all of which have to be there.
        unaccepted: how many drafts were not, since the app died before.
        faults: how often a write failed otherwise, by fault.
        wrong: what was lost, doubled or half-written, a sentence each.
        rounds: how many drafts there were.
    """

    rounds: int = 0
    app: int = 0
    worker: int = 0
    accepted: int = 0
    unaccepted: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    @property
    def kills(self) -> int:
        """How often anything was killed."""
        return self.app + self.worker


def kill_often(
    base: str,
    folder: Path,
    kills: int,
    *,
    seed: int,
    database_url: str = "",
    state: Path | None = None,
) -> Tally:
    """Accept plans until app and workers were killed so often; each has to be there once.

    Args:
        base: the FHIR server.
        folder: where the app keeps its files.
        kills: how many.
        seed: of where is killed, and of the server's other faults.
        database_url: of PostgreSQL; SQLite by default.
        state: the file from which an earlier start goes on.
    """
    tally = Tally()
    ended: list[str] = []
    carry_on(tally, state)
    with (
        run_proxy(base) as proxy,
        forked_commands("tests.smart_app.loaded_before:load_everything") as apps,
        forked_commands("tests.smart_app.loaded_before:load_everything") as workers,
        running_ward(
            folder,
            proxy.base,
            database_url=database_url,
            more_settings="outbox_thread = false\nworkers = 1",
            commands=apps,
        ) as ward,
    ):
        while tally.kills < kills:
            if ward.app is None:
                ward.start_app()
            proxy.asked.clear()
            tally.rounds += 1
            chance = chance_of(seed, tally.rounds)
            ended.append(_round(Scene(ward, proxy, workers, chance), tally, kills=kills))
            keep(tally, state)
        for draft_id in ended:
            if (counts := ward.counts(draft_id)) != NO_PLAN:
                tally.wrong.append(f"{draft_id} came once more: {counts}")
    return tally


@dataclass(frozen=True)
class Scene:
    """Where it happens, and what chooses when."""

    ward: Ward
    proxy: FaultProxy
    workers: Commands
    chance: random.Random

    def work(self) -> Running:
        """Start `ivfhir worker --once` in a process of its own."""
        return self.workers.start("worker", "--once", "--config", f"{self.ward.folder}/ivfhir.toml")


def _round(scene: Scene, tally: Tally, *, kills: int) -> str:
    """Accept a plan, kill who sends it some times, let one end, and look what is there.

    Returns:
        its draft; what was there of it is taken away again.
    """
    ward, proxy = scene.ward, scene.proxy
    clinician = HttpClinician(ward.ehr_url)
    clinician.launch()
    draft_id = clinician.make_draft()
    _accept_killed(scene, clinician, tally)
    for _ in range(scene.chance.randrange(1, 5)):
        if tally.kills < kills and ward.outbox_states().get(draft_id) == "waiting":
            _worker_killed(scene, tally)
    proxy.fault = _write_faults(scene.chance, tally)
    for _ in range(_TRIES):
        _let_time_pass(ward)
        scene.work().wait()
        if ward.outbox_states().get(draft_id) in (None, "delivered"):
            break
        proxy.fault = _no_fault
    proxy.fault = _no_fault
    _look(ward, draft_id, tally)
    _put_away(ward, draft_id)
    return draft_id


def _put_away(ward: Ward, draft_id: str) -> None:
    """Take the plan off the server, so that the record does not grow and with it each reading."""
    server = HttpRepository(ward.fhir_url, session=requests.Session())
    for name, found in stored_parts(server, draft_id, PATIENT).items():
        for each in found:
            gone = requests.delete(f"{ward.fhir_url}/{name}/{each['id']}", timeout=60)
            gone.raise_for_status()


def _look(ward: Ward, draft_id: str, tally: Tally) -> None:
    """Note what is lost, doubled or half of a plan, and whether the app knows what became of it."""
    state, counts = ward.outbox_states().get(draft_id), ward.counts(draft_id)
    draft = ward.draft_state(draft_id)
    if state is None:
        tally.unaccepted += 1
        if (counts, draft) != (NO_PLAN, "draft"):
            tally.wrong.append(f"{draft_id} was not accepted: {counts}, the draft is {draft}")
        return
    tally.accepted += 1
    if counts != ONE_PLAN:
        tally.wrong.append(f"{draft_id} is {state}, and the server has {counts}")
    if (state, draft) != ("delivered", "written"):
        tally.wrong.append(f"{draft_id} is {state} in the outbox, the draft is {draft}")


def _accept_killed(scene: Scene, clinician: HttpClinician, tally: Tally) -> None:
    """Accept the draft whose review is open, and kill the app at some request of it.

    A write that fails besides leaves the plan to the workers.
    """
    killed = threading.Event()
    app = scene.ward.app
    assert app is not None

    def kill() -> None:
        if not killed.is_set():
            killed.set()
            os.killpg(app.pid, signal.SIGKILL)

    scene.proxy.watch, scene.proxy.fault = _at(scene, kill), _write_faults(scene.chance, tally)
    with suppress(requests.RequestException):
        clinician.browser.post(
            clinician.page.url, data=clinician.confirmation(), timeout=60, allow_redirects=False
        )
    scene.proxy.watch, scene.proxy.fault = _watch_nothing, _no_fault
    if killed.is_set():
        scene.ward.kill_app()
        tally.app += 1


def _worker_killed(scene: Scene, tally: Tally) -> None:
    """Run `ivfhir worker --once`, and kill it at some request."""
    running: list[Running] = []
    _let_time_pass(scene.ward)
    scene.proxy.watch = _at(scene, lambda: running and running[0].kill())
    scene.proxy.fault = _write_faults(scene.chance, tally)
    running.append(scene.work())
    code = running[0].wait()
    scene.proxy.watch, scene.proxy.fault = _watch_nothing, _no_fault
    tally.worker += code == -signal.SIGKILL


def _let_time_pass(ward: Ward) -> None:
    """Let the claims of the dead end, and what waits be due."""
    ward.let_the_claim_end()
    ward.let_them_be_due()


def _at(scene: Scene, kill: Callable[[], object]) -> Callable[[str, Asked], None]:
    """Return what kills at one of the requests to come, before or after the server did it.

    Every second time it is the transaction itself.
    """
    first, stage = len(scene.proxy.asked), scene.chance.choice(("before", "after"))
    at = scene.chance.randrange(1, _MOST_REQUESTS)
    at_write = scene.chance.random() < 1 / 2

    def watch(where: str, asked: Asked) -> None:
        due = asked.writes if at_write else asked.number >= first + at
        if where == stage and due:
            kill()

    return watch


def _write_faults(chance: random.Random, tally: Tally) -> Callable[[Asked], str | None]:
    """Return what fails: one write in two."""

    def fault(asked: Asked) -> str | None:
        if not asked.writes or chance.random() > 1 / 2:
            return None
        chosen = chance.choice(_FAULTS)
        tally.faults[chosen] += 1
        return chosen

    return fault


def _no_fault(_asked: Asked) -> None:
    return None


def _watch_nothing(_stage: str, _asked: Asked) -> None:
    return None


def main() -> int:
    """Run the long form and print the figures; 1 when anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--state", type=Path, help="file from which a stopped series goes on")
    parser.add_argument("--postgres", action="store_true", help="PostgreSQL in place of SQLite")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        base = stack.enter_context(run_sekmet())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = ""
        if arguments.postgres:
            from tests.servers.postgres_server import run_postgres  # noqa: PLC0415 - needs it

            url = stack.enter_context(run_postgres()).new_database()
        tally = kill_often(
            base,
            folder,
            arguments.kills,
            seed=arguments.seed,
            database_url=url,
            state=arguments.state,
        )
    told = {
        "kills": {"app": tally.app, "worker": tally.worker},
        "plans": {"accepted": tally.accepted, "unaccepted": tally.unaccepted},
        "faults": dict(tally.faults),
        "wrong": tally.wrong,
    }
    sys.stdout.write(json.dumps(told, indent=2) + "\n")
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
