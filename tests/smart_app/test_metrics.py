"""The figures for Prometheus: of all workers, on a port of their own, and of no patient."""

import io
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from prometheus_client import CollectorRegistry, generate_latest

from smart_app.logs import make_logger
from smart_app.metrics import make_metrics
from smart_app.services import services
from tests.smart_app.test_killed_in_a_write import free_port, wait_until


def figures(text):
    """Return series -> value of a page of figures."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_a_page_is_timed_by_the_pattern_of_its_route(client, app):
    client.get("/l/0123456789abcdef/match")
    client.get("/no/such/page?patient=42")
    with app.app_context():
        metrics = services().metrics
    text = "\n".join(str(sample) for metric in metrics.pages.collect() for sample in metric.samples)
    assert "/l/<launch>/match" in text
    assert "0123456789abcdef" not in text
    assert "no/such" not in text


def test_events_are_counted_by_name_and_class_of_error():
    registry = CollectorRegistry()
    metrics = make_metrics(registry)
    log = make_logger("info", stream=io.StringIO(), count=metrics.count_event)
    log.info("write_back", written=True, entries=48)
    log.warning("write_back", written=False, error="TimedOutError")
    found = figures(generate_latest(registry).decode())
    assert found['ivfhir_events_total{error="written",event="write_back",level="info"}'] == 1
    assert (
        found['ivfhir_events_total{error="TimedOutError",event="write_back",level="warning"}'] == 1
    )


@pytest.mark.server
def test_two_workers_are_counted_together_on_a_port_of_their_own(tmp_path):
    port, metrics_port = free_port(), free_port(above=500)
    settings = tmp_path / "ivfhir.toml"
    settings.write_text(
        f'public_url = "http://127.0.0.1:{port}"\nport = {port}\nmetrics_port = {metrics_port}\n'
        f'database_url = "sqlite:///{tmp_path / "app.sqlite3"}"\nkey_file = "{tmp_path / "key"}"\n'
        'log_level = "error"\n\n[[ehr]]\niss = "http://127.0.0.1:9/fhir"\nclient_id = "x"\n'
    )
    url, figures_url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{metrics_port}/metrics"
    with subprocess.Popen(
        [sys.executable, "-m", "ivfhir.cli.main", "serve", "--config", settings]
    ) as app:
        try:
            wait_until(lambda: answers(f"{url}/health"))
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(lambda _: requests.get(f"{url}/jwks.json", timeout=10), range(40)))
            found = figures(requests.get(figures_url, timeout=10).text)
            labels = '{method="GET",route="/jwks.json",status="200"}'
            assert found[f"ivfhir_request_seconds_count{labels}"] == 40
            assert [name for name in found if name.startswith("ivfhir_version{")]
            assert requests.get(f"{url}/metrics", timeout=10).status_code == 404
        finally:
            app.terminate()
    assert app.returncode == 0


def answers(url):
    try:
        return requests.get(url, timeout=5).ok
    except requests.ConnectionError:
        return False
