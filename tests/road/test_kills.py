"""kill -9 at the worst moments: nothing acknowledged is lost, nothing is sent twice."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest
import requests

from relay import jsontext
from tests.support.road import SHOPIFY, Road, running_road, samples_of, wait_for

pytestmark = [pytest.mark.road, pytest.mark.xdist_group("road")]


def _order(number: int) -> bytes:
    [(_, body)] = samples_of("shopify", ["orders_create__three-lines-2025"])
    order = jsontext.loads(body)
    own = {"id": 6200000000000 + number, "email": f"buyer{number}@example.com", "checkout_token": None}
    return jsontext.dumps(order | own | {"customer": None}).encode()


def _purchases(road: Road, number: int) -> list[str]:
    found = [event for event in road.events() if event.get("externalId") == str(6200000000000 + number)]
    return [event["contactExtEventType"] for event in found]


def test_a_worker_killed_between_sending_and_settling_sends_nothing_twice(tmp_path: Path):
    # The simulator takes the event and keeps its answer back, so the worker dies while it waits for it.
    with running_road(tmp_path, lease_s="12", send_timeout_s="2", worker_processes="1") as road:
        road.fault(kind="drop_answer", path="/api/v2/contact/addContactExtEvent", seconds=600)
        assert road.send(SHOPIFY, "orders/create", _order(1)).status_code == 200
        wait_for(lambda: _purchases(road, 1), "the event to reach SALESmanago")
        [worker] = road.processes("--app app worker")
        road.kill(worker)
        wait_for(lambda: set(road.processes("--app app worker")) - {worker}, "the supervisor to start another worker")
        road.clear_faults()
        road.wait_until_idle(90)
        assert _purchases(road, 1) == ["PURCHASE"]
        commands = road.flask_json("commands", "list")
        [put] = [command for command in commands if command["kind"] == "event.put"]
        assert put["state"] == "done"
        assert put["event_id"]


def test_a_web_process_killed_between_commit_and_answer_loses_nothing(tmp_path: Path):
    # The answer is held back after the commit; killed then, the shop hears nothing and delivers again.
    with running_road(tmp_path, module="tests.support.late_app:app", started=False, web_processes="1") as road:
        road.environment["LATE_S"] = "600"
        road.start()
        failed: list[Exception] = []

        def deliver() -> None:
            try:
                road.send(SHOPIFY, "orders/create", _order(2), "killed-1")
            except requests.RequestException as error:
                failed.append(error)

        caller = threading.Thread(target=deliver)
        caller.start()
        with road.store() as store:
            wait_for(store.reading.deliveries, "the delivery to be committed")
            road.kill(*(pid for pid in road.processes("gunicorn") if road.gunicorn and pid != road.gunicorn.pid))
            caller.join(30)
            assert len(failed) == 1
            road.environment["LATE_S"] = "0"
            road.stop()
            road.start()
            again = road.send(SHOPIFY, "orders/create", _order(2), "killed-1")
            assert again.json() == {"status": "repeated"}
            assert len(store.reading.deliveries()) == 1
        road.wait_until_idle()
        assert _purchases(road, 2) == ["PURCHASE"]


def test_every_acknowledged_delivery_survives_the_death_of_everything(tmp_path: Path):
    with running_road(tmp_path) as road:
        acknowledged: set[int] = set()
        enough = threading.Event()

        def deliver(numbers: range) -> None:
            with requests.Session() as session:
                for number in numbers:
                    try:
                        if road.send(SHOPIFY, "orders/create", _order(number), f"d-{number}", session).ok:
                            acknowledged.add(number)
                    except requests.RequestException:
                        return
                    if len(acknowledged) > 60:
                        enough.set()

        callers = [threading.Thread(target=deliver, args=(range(first, first + 500),)) for first in (1000, 2000, 3000)]
        for caller in callers:
            caller.start()
        assert enough.wait(60)
        road.kill_all()
        for caller in callers:
            caller.join(60)
        road.start()
        road.wait_until_idle(120)
        held = {event["externalId"] for event in road.events() if event["contactExtEventType"] == "PURCHASE"}
        assert {str(6200000000000 + number) for number in acknowledged} <= held
        counted = [event["externalId"] for event in road.events()]
        assert len(counted) == len(set(counted))


def test_stopping_in_order_finishes_what_is_under_way(tmp_path: Path):
    with running_road(tmp_path) as road:
        road.fault(kind="slow", path="/api/contact/upsert", seconds=1.5)
        road.send(SHOPIFY, "orders/create", _order(3))
        with road.store() as store:
            wait_for(lambda: [each for each in store.reading.commands() if each.attempts], "an attempt to begin")
        assert road.gunicorn is not None
        os.kill(road.gunicorn.pid, signal.SIGTERM)
        road.gunicorn.wait(40)
        with road.store() as store:
            upserts = [each for each in store.reading.commands() if each.kind == "contact.upsert"]
        assert [each.state for each in upserts] == ["done"]
