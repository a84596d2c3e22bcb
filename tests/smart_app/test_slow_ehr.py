"""One EHR that does not answer, on the app's own processes: everything else goes on.

The slow EHR hangs up when everything else is done, and not before, so nothing waited for it. Of
the others' times the middle one is bound: the first request of each worker is slow by itself.
"""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import pytest
import requests

from tests.servers.raw_server import raw_server
from tests.smart_app.test_killed_in_a_write import Ward, running_ward, wait_until

NEVER_S = 120
"""Seconds that no one waits here: a request that waited for the slow EHR fails in half of them."""

pytestmark = pytest.mark.server


def add_slow_ehr(ward: Ward, iss: str) -> None:
    """Start the app anew with another EHR beside the ward's."""
    ward.kill_app()
    write = ward._settings

    def settings() -> Path:
        path = write()
        more = f'\n[[ehr]]\nname = "Slow"\niss = "{iss}/fhir"\nclient_id = "slow"\n'
        top = f"timeout_s = {NEVER_S}\nsign_in_minutes = 10\n"
        path.write_text(top + path.read_text("utf-8") + more, encoding="utf-8")
        return path

    ward._settings = settings
    ward.start_app()


def test_one_slow_ehr_takes_neither_health_nor_another_ehr_down(
    sekmet: str, tmp_path: Path
) -> None:
    over = threading.Event()

    def silent(_connection: socket.socket, _request: bytes) -> None:
        over.wait(NEVER_S)

    with raw_server(silent) as slow, running_ward(tmp_path, sekmet) as ward:
        add_slow_ehr(ward, slow)

        def launch_slow(_number: int) -> requests.Response:
            query = {"iss": f"{slow}/fhir", "launch": "x"}
            return requests.get(
                f"{ward.app_url}/launch",
                params=query,
                timeout=NEVER_S,
                headers={"Connection": "close"},
            )

        with ThreadPoolExecutor(48) as pool:
            waiting = [pool.submit(launch_slow, number) for number in range(48)]
            try:
                wait_until(lambda: sum(each.done() for each in waiting) >= 48 - 2 * 10)
                times = []
                for _ in range(10):
                    started = time.monotonic()
                    assert requests.get(f"{ward.app_url}/health", timeout=NEVER_S / 2).ok
                    other = requests.get(
                        f"{ward.app_url}/launch",
                        params={"iss": f"{ward.ehr_url}/fhir", "launch": "x"},
                        timeout=NEVER_S / 2,
                        allow_redirects=False,
                    )
                    assert other.status_code == 303
                    times.append(time.monotonic() - started)
                assert median(times) < 3, times
                assert not all(each.done() for each in waiting)
            finally:
                over.set()
            answers = [each.result() for each in waiting]
        busy = [answer for answer in answers if answer.status_code == 503]
        assert len(busy) >= 48 - 2 * 10, [answer.status_code for answer in answers]
        assert all(answer.headers["Retry-After"] == "5" for answer in busy)
        assert all("The EHR is busy" in answer.text for answer in busy)
        assert {answer.status_code for answer in answers} == {503, 504}
