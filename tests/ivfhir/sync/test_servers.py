"""Servers are addresses or tables of the settings; their secrets stay unseen."""

import ssl
from contextlib import closing

import pytest
from flask import Flask, request
from joserfc.jwk import RSAKey

from ivfhir.errors import SettingsError, UnreachableError, UsageError
from ivfhir.sync.ladder import Rung
from ivfhir.sync.ledger import Ledger
from ivfhir.sync.run import Target
from ivfhir.sync.servers import Server, connector, find_servers
from smart_app.demo_certificate import make_certificate
from smart_app.local_server import listen, serving

CLINIC = '[[server]]\nname = "clinic"\nurl = "https://ehr.example/fhir"\ntoken = "secret-1"\n'


def settings(folder, text):
    path = folder / "ivfhir.toml"
    path.write_text(text)
    return path


def test_a_name_and_its_address_are_one_server(tmp_path):
    config = settings(tmp_path, CLINIC)
    (server,) = find_servers(["clinic", "https://ehr.example/fhir/"], config)
    assert (server.name, server.token) == ("clinic", "secret-1")
    assert "secret-1" not in repr(server)


def test_an_address_alone_takes_the_token_of_the_environment(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IVFHIR_TOKEN", "secret-2")
    (server,) = find_servers(["http://127.0.0.1:1/fhir"], None)
    assert (server.name, server.token) == ("http://127.0.0.1:1/fhir", "secret-2")
    connector(server)()


def test_one_token_is_not_given_to_two_servers(monkeypatch, tmp_path):
    monkeypatch.setenv("IVFHIR_TOKEN", "secret-3")
    config = settings(tmp_path, CLINIC)
    assert len(find_servers(["http://127.0.0.1:1/a", "clinic"], config)) == 2
    with pytest.raises(UsageError) as caught:
        find_servers(["http://127.0.0.1:1/a", "http://127.0.0.1:1/b"], config)
    assert "secret-3" not in caught.value.message


@pytest.mark.parametrize("word", ["clinics", "", "ftp://ehr.example"])
def test_another_word_is_wrong_usage(tmp_path, word):
    with pytest.raises(UsageError, match="clinic"):
        find_servers([word], settings(tmp_path, CLINIC))


@pytest.mark.parametrize(
    "text",
    [
        "[[server]]\nname = 'x'\n",
        "[[server]]\nname = 'x'\nurl = 'http://h'\nport = 1\n",
        "[[server]]\nname = 'x'\nurl = 'http://h'\nclient_id = 'c'\n",
        CLINIC + 'client_id = "c"\nprivate_key_file = "k"\n',
        CLINIC + CLINIC,
        "[server]\nname = 'x'\n",
        "server",
    ],
)
def test_a_table_that_cannot_be_meant_is_refused(tmp_path, text):
    with pytest.raises(SettingsError):
        find_servers(["x"], settings(tmp_path, text))


@pytest.mark.parametrize("signs_in", [False, True])
def test_a_certificate_of_the_settings_is_trusted_by_sign_in_and_server(tmp_path, signs_in):
    certificate = make_certificate(tmp_path)
    key = tmp_path / "key.pem"
    key.write_bytes(RSAKey.generate_key(2048).as_pem(private=True))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listener = listen("127.0.0.1", 0, option="--port")
    url = f"https://127.0.0.1:{listener.getsockname()[1]}"
    app = Flask(__name__)
    answers = {
        "/fhir/.well-known/smart-configuration": {"token_endpoint": f"{url}/token"},
        "/token": {"access_token": "t", "expires_in": 300},
        "/fhir/metadata": {"resourceType": "CapabilityStatement"},
    }
    app.before_request(lambda: answers[request.path])
    client = {"client_id": "c", "private_key_file": str(key)} if signs_in else {"token": "t"}
    server = Server("ward", f"{url}/fhir", **client)
    with serving([(listener, app, context)]):
        found = connector(server, ca_file=str(certificate))().capabilities()
        assert found["resourceType"] == "CapabilityStatement"
        with pytest.raises(UnreachableError):
            connector(server)().capabilities()


@pytest.mark.parametrize(
    ("granted", "rung"),
    [
        ("system/CarePlan.rs system/DocumentReference.crus", Rung.DOCUMENT),
        ("system/*.cruds", Rung.TRANSACTION),
        ("https://ehr.example/.default", Rung.TRANSACTION),
        (None, Rung.TRANSACTION),
        ("", Rung.TRANSACTION),
    ],
)
def test_what_the_server_granted_counts_and_not_what_was_asked_for(tmp_path, granted, rung):
    key = tmp_path / "key.pem"
    key.write_bytes(RSAKey.generate_key(2048).as_pem(private=True))
    listener = listen("127.0.0.1", 0, option="--port")
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    app = Flask(__name__)
    answers = {
        "/fhir/.well-known/smart-configuration": {"token_endpoint": f"{url}/token"},
        "/token": {"access_token": "t", "expires_in": 300, "scope": granted},
        "/fhir/metadata": {"resourceType": "CapabilityStatement"},
    }
    app.before_request(lambda: answers[request.path])
    server = Server("ward", f"{url}/fhir", client_id="c", private_key_file=str(key))
    with serving([(listener, app, None)]), closing(Ledger(None)) as ledger:
        connect = connector(server)
        target = Target("ward", connect, ledger, scope=connect.scope)
        target.meet()
    assert target.place.means.rung({"CarePlan", "ServiceRequest"}) is rung
