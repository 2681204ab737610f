"""Over real HTTP: what a test client cannot show."""

from __future__ import annotations

import http.client
import json
import socket
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.support.sandbox import ACCOUNT, RunningSandbox, running_sandbox, sandbox_process, signed

UPSERT = signed(contact={"email": "anna@example.com"})


def post(running: Any, path: str, body: Any, timeout: float = 5) -> requests.Response:
    with requests.Session() as session:
        answer = session.post(running.url + path, json=body, timeout=timeout)
    assert answer.status_code == 200, answer.text
    return answer


def contacts(running: RunningSandbox) -> int:
    return len(running.state.holdings[ACCOUNT.client_id].contacts)


def test_connection_is_kept_for_many_calls() -> None:
    with running_sandbox() as running:
        connection = http.client.HTTPConnection(urlsplit(running.url).netloc, timeout=5)
        sockets = set()
        for _ in range(3):
            connection.request("POST", "/api/contact/upsert", json.dumps(UPSERT))
            answer = connection.getresponse()
            assert (answer.status, answer.version, json.loads(answer.read())["success"]) == (200, 11, True)
            sockets.add(connection.sock)
        connection.close()
        assert len(sockets) == 1


def test_refused_body_is_read_so_that_the_next_call_is_understood() -> None:
    with running_sandbox() as running, requests.Session() as session:
        unknown = session.post(running.url + "/api/unheard", data="x" * 100_000, timeout=5)
        forbidden = session.put(running.url + "/api/contact/upsert", data="x" * 100_000, timeout=5)
        fine = session.post(running.url + "/api/contact/upsert", json=UPSERT, timeout=5)
        assert (unknown.status_code, forbidden.status_code, fine.status_code) == (404, 405, 200)


@pytest.mark.parametrize("header", [("Transfer-Encoding", "chunked"), ("Content-Length", "many")])
def test_body_of_unknown_length_is_refused_and_the_connection_closed(header: tuple[str, str]) -> None:
    with running_sandbox() as running:
        connection = http.client.HTTPConnection(urlsplit(running.url).netloc, timeout=5)
        connection.putrequest("POST", "/api/contact/upsert")
        connection.putheader(*header)
        connection.endheaders()
        answer = connection.getresponse()
        assert (answer.status, answer.headers["Connection"]) == (411, "close")
        connection.close()


@pytest.mark.parametrize(("kind", "kept"), [("hang", 0), ("drop_answer", 1)])
def test_connection_is_closed_without_an_answer(kind: str, kept: int) -> None:
    with running_sandbox() as running:
        post(running, "/_sandbox/faults", {"kind": kind})
        with pytest.raises(requests.ConnectionError):
            post(running, "/api/contact/upsert", UPSERT)
        assert contacts(running) == kept


@pytest.mark.parametrize(("kind", "kept"), [("hang", 0), ("drop_answer", 1)])
def test_answer_is_held_back_longer_than_the_caller_waits(kind: str, kept: int) -> None:
    with running_sandbox() as running:
        post(running, "/_sandbox/faults", {"kind": kind, "seconds": 30})
        with pytest.raises(requests.ReadTimeout):
            post(running, "/api/contact/upsert", UPSERT, timeout=0.3)
        assert contacts(running) == kept


def test_held_call_does_not_hold_others() -> None:
    with running_sandbox() as running:
        post(running, "/_sandbox/faults", {"kind": "hang", "seconds": 30})
        with pytest.raises(requests.ReadTimeout):
            post(running, "/api/contact/upsert", UPSERT, timeout=0.2)
        post(running, "/api/contact/upsert", UPSERT)
        assert contacts(running) == 1


def test_held_calls_are_let_go_when_the_faults_are_taken_back() -> None:
    with running_sandbox() as running:
        post(running, "/_sandbox/faults", {"kind": "slow", "seconds": 60})
        netloc = urlsplit(running.url).netloc
        connection = http.client.HTTPConnection(netloc, timeout=5)
        connection.request("POST", "/api/contact/upsert", json.dumps(UPSERT))
        while running.state.faults.as_list():
            time.sleep(0.005)
        requests.delete(running.url + "/_sandbox/faults", timeout=5)
        assert json.loads(connection.getresponse().read())["success"] is True
        connection.close()


def test_server_stops_at_once_in_spite_of_open_connections_and_held_calls() -> None:
    with running_sandbox() as running:
        idle = socket.create_connection((urlsplit(running.url).hostname, urlsplit(running.url).port))
        post(running, "/_sandbox/faults", {"kind": "hang", "seconds": 60})
        with pytest.raises(requests.ReadTimeout):
            post(running, "/api/contact/upsert", UPSERT, timeout=0.2)
        started = time.monotonic()
    assert time.monotonic() - started < 5
    idle.close()
    with pytest.raises(requests.ConnectionError):
        requests.get(running.url, timeout=1)


def test_process_of_its_own_keeps_its_state_over_a_restart(tmp_path: Path) -> None:
    keep_file = tmp_path / "sandbox.json"
    with sandbox_process(keep_file=keep_file) as running:
        first = post(running, "/api/contact/upsert", UPSERT).json()["contactId"]
    assert running.process.returncode == 0
    with sandbox_process(keep_file=keep_file) as running:
        assert post(running, "/api/contact/upsert", UPSERT).json()["contactId"] == first
    assert running.process.returncode == 0
