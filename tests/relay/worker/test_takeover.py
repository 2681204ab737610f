"""A running worker takes over from one that died, long before any lease ends."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from relay.clock import SystemClock
from relay.commands import CommandState
from relay.deliveries import DeliveryState
from relay.store import Store
from relay.worker.worker import Worker
from tests.support.patience import PATIENCE_S, until
from tests.support.stored import ask, new_delivery, translated, upsert
from tests.support.working import FakeClient, FakeTranslator, directory, purchase, settings

DEAD = "elsewhere:7:abc"
LONG_S = 3600.0


@pytest.mark.parametrize("begun", [False, True])
def test_what_a_dead_worker_held_is_carried_through(
    store: Store, tmp_path, monkeypatch: pytest.MonkeyPatch, begun: bool
):
    monkeypatch.setattr("relay.worker.worker.BEAT_S", 0.05)
    monkeypatch.setattr("relay.worker.watching.DEAD_AFTER_S", 0.3)
    now = datetime.now(UTC)
    delivery = store.deliveries.record(new_delivery(received_at=now)).id
    contact = ask(store, upsert(), at=now)
    event = ask(store, purchase("bob@example.com"), at=now)
    store.deliveries.claim(now, LONG_S, 10, holder=DEAD)
    held = store.commands.claim(now, LONG_S, 10, holder=DEAD)
    if begun:
        store.commands.begin(held, now, LONG_S)
    store.workers.beat(DEAD, now)

    client = FakeClient(SystemClock())
    worker = Worker(
        store=store,
        client=client,
        translator=FakeTranslator(lambda _delivery: translated(upsert("new@example.com"))),
        directory=directory(),
        settings=settings(poll_s="60", data=str(tmp_path)),
        clock=SystemClock(),
    )
    running = threading.Thread(target=worker.run)
    with capture_logs() as logs:
        running.start()
        try:
            until(lambda: [view.state for view in store.commands.of_delivery(contact)] == [CommandState.DONE])
            until(lambda: [view.state for view in store.commands.of_delivery(delivery)] == [CommandState.DONE])
            if not begun:
                until(lambda: [view.state for view in store.commands.of_delivery(event)] == [CommandState.DONE])
        finally:
            worker.stop()
            running.join(PATIENCE_S)
    view = store.reading.delivery(delivery)
    assert view is not None
    assert view.state is DeliveryState.TRANSLATED
    if begun:  # SALESmanago may be busy with it: it is looked for when its lease is over, and never sent blindly
        assert [each.state for each in store.commands.of_delivery(event)] == [CommandState.WAITING]
        assert all(sent.commands[0].kind.value == "contact.upsert" for sent in client.sent)
    [line] = [line for line in logs if line["event"] == "worker_presumed_dead"]
    assert (line["worker"], line["events_under_way"]) == (DEAD, int(begun))
