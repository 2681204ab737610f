"""Two people live through everything a relay does; one is erased. Nothing of that one is left, all of the other is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from relay.commands import CommandState
from relay.deliveries import DeliveryState
from relay.store import CommandFilter, DeliveryFilter
from tests.support.house import House, a_house
from tests.support.privacy import files_naming, tables_naming
from tests.support.two_lives import ANN, BO, customer, fill, order, redaction, shopify, woo_order

LIVING = {"deliveries", "commands", "contacts", "contact_addresses", "resources"}


@pytest.fixture
def house(url_in_data: str, tmp_path: Path) -> Iterator[House]:
    with a_house(tmp_path, url_in_data) as opened:
        fill(opened)
        yield opened


def url_of(house: House) -> str:
    return house.relay.settings.database_url


def test_the_lives_leave_traces_everywhere(house):
    """Were it not so, the other tests would prove nothing."""
    for who in (ANN, BO):
        assert tables_naming(url_of(house), *who.traces) >= LIVING | {"attempts"}
        files = files_naming(house.data, who.email)
        assert f"data-requests/acme-{who.number}.json" in files
        assert files & {"relay.sqlite3", "relay.sqlite3-wal"}
        assert who.email in house.told()
    states = {view.state for view in house.relay.store.reading.deliveries(limit=200)}
    assert states == {DeliveryState.TRANSLATED, DeliveryState.IGNORED, DeliveryState.DEAD, DeliveryState.HELD}
    kept = {view.state for view in house.relay.store.reading.commands(limit=200)}
    assert kept >= {CommandState.DONE, CommandState.UNCERTAIN, CommandState.DEAD}


def test_nothing_of_the_erased_person_is_left_and_all_of_the_other_is(house):
    before = {view.id: view for view in house.relay.store.reading.deliveries(limit=200)}
    theirs = tables_naming(url_of(house), *BO.traces)
    contents = [house.relay.store.reading.delivery(each).body for each in before]
    house.deliver("acme", "customers/redact", redaction(ANN))
    house.work()
    house.work(hours=1)

    assert tables_naming(url_of(house), *ANN.traces) == set()
    assert files_naming(house.data, *ANN.traces) == set()
    for text in (house.log.getvalue(), house.feed(), house.told()):
        assert [trace for trace in ANN.traces if trace in text] == []
    assert all(task.finished_at for task in house.relay.store.privacy.list())

    assert tables_naming(url_of(house), *BO.traces) >= theirs
    assert f"data-requests/acme-{BO.number}.json" in files_naming(house.data, BO.email)
    assert BO.email in house.told()
    kept = [house.relay.store.reading.delivery(each).body for each in before]
    assert sum(BO.email.encode() in body for body in kept) == sum(BO.email.encode() in body for body in contents) > 10
    assert "Mug" in house.feed()


def test_ids_states_and_event_links_stay(house):
    reading = house.relay.store.reading
    before = {view.id: view for view in reading.deliveries(limit=200)}
    commands = {view.id: view for view in reading.commands(limit=300)}
    house.deliver("acme", "customers/redact", redaction(ANN))
    house.work()

    for view in reading.deliveries(limit=200):
        if view.id in before:
            was = before[view.id]
            assert (view.topic, view.received_at, view.dedupe if hasattr(view, "dedupe") else None) == (
                was.topic, was.received_at, None)  # fmt: skip
            assert (view.resource_kind, view.resource_id) == (was.resource_kind, was.resource_id)
            assert view.state in (was.state, DeliveryState.IGNORED)
    for view in reading.commands(limit=300):
        if view.id in commands and commands[view.id].state is CommandState.DONE:
            assert (view.state, view.event_id) == (CommandState.DONE, commands[view.id].event_id)
    with house.relay.store.deliveries.translating() as bench:
        [purchase, *_] = bench.memory.events("acme", "order", str(ANN.number + 1))
    assert purchase.event_id is not None


def test_nothing_can_bring_the_person_back(house):
    house.deliver("acme", "customers/redact", redaction(ANN))
    house.work()
    for view in house.relay.store.reading.deliveries(DeliveryFilter(shop="acme"), limit=200):
        if view.reason == "erased":
            with pytest.raises(ValueError, match="erased"):
                house.relay.store.deliveries.replay(view.id, house.clock.now())
    shopify(house, ANN)
    house.deliver("woo", "order.created", woo_order(ANN, 1, "processing"))
    house.work()
    house.deliver("acme", "customers/redact", redaction(ANN))  # for the dead letters, the question and the draft
    house.work()

    assert ANN.email not in house.told()
    assert tables_naming(url_of(house), *ANN.traces) == set()
    assert files_naming(house.data, *ANN.traces) == set()
    assert [trace for trace in ANN.traces if trace in house.log.getvalue()] == []


def test_late_deliveries_alone_leave_nothing_either(house):
    house.deliver("acme", "customers/redact", redaction(ANN))
    house.work()
    house.deliver("acme", "orders/updated", order(ANN, 1))
    house.deliver("acme", "orders/updated", order(ANN, 9))
    house.deliver("acme", "customers/update", customer(ANN))
    house.deliver("woo", "order.updated", woo_order(ANN, 1, "completed"))
    house.work()

    assert ANN.email not in house.told()
    assert tables_naming(url_of(house), *ANN.traces) == set()
    assert files_naming(house.data, *ANN.traces) == set()


def test_new_order_is_a_new_relationship(house):
    house.deliver("acme", "customers/redact", redaction(ANN))
    house.work()
    house.clock.advance(3600)
    house.deliver("acme", "orders/create", order(ANN, 10, hours=1))
    house.work()

    assert ANN.email in house.told()
    [command, *_] = house.relay.store.reading.commands(CommandFilter(state=CommandState.DONE), limit=1)
    assert command.event_id is not None


def test_erasure_waits_for_salesmanago_and_is_finished_by_another_worker(house):
    house.relay.store.lanes.pause("main", "contacts", None, "test", house.clock.now())
    house.deliver("acme", "customers/redact", redaction(ANN))
    house.work()
    assert tables_naming(url_of(house), ANN.first, ANN.last, ANN.street) == set()
    assert tables_naming(url_of(house), ANN.email) == {"commands", "contacts", "contact_addresses", "privacy_tasks"}
    assert ANN.email in house.told()

    house.relay.store.lanes.resume("main")
    house.work()
    assert tables_naming(url_of(house), *ANN.traces) == set()
    assert files_naming(house.data, *ANN.traces) == set()
    assert ANN.email not in house.told()


def test_operators_own_erasure_does_the_same(house):
    runner = house.app.test_cli_runner()
    arguments = ["people", "erase", "--shop", "acme", "--customer", str(ANN.number), "--phone", ANN.phone, "--yes"]
    result = runner.invoke(args=arguments)
    assert result.exit_code == 0, result.output
    house.work()

    assert tables_naming(url_of(house), *ANN.traces) == set()
    assert files_naming(house.data, *ANN.traces) == set()
    assert ANN.email not in house.told()
    shown = runner.invoke(args=["people", "show", "--group", "main", "--email", ANN.email])
    assert shown.output == "Nothing is stored about this person.\n"


@pytest.mark.postgres
def test_rows_of_a_postgresql_store_hold_nothing_either(postgres_url, tmp_path):
    with a_house(tmp_path, postgres_url) as house:
        fill(house)
        theirs = tables_naming(postgres_url, *BO.traces)
        house.deliver("acme", "customers/redact", redaction(ANN))
        house.work()

        assert tables_naming(postgres_url, *ANN.traces) == set()
        assert files_naming(house.data, *ANN.traces) == set()
        assert tables_naming(postgres_url, *BO.traces) >= theirs
        assert (ANN.email in house.told(), BO.email in house.told()) == (False, True)
