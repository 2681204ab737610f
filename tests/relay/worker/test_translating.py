"""Deliveries on their way to commands, with a translator that does as it is told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from relay import metrics
from relay.commands import EventKey
from relay.deliveries import DeliveryState, Translation
from relay.errors import PayloadInvalid, StoreUnavailable
from relay.jsontext import digest
from relay.memory import Resource
from relay.worker.retry import TRANSLATION_TRIES
from relay.worker.translating import CLAIM_LIMIT, SLICE, TranslateStage
from tests.support.stored import LEASE_S, after, new_delivery, put, translated, upsert
from tests.support.working import FakeTranslator

TRANSLATED, RECEIVED, DEAD = DeliveryState.TRANSLATED, DeliveryState.RECEIVED, DeliveryState.DEAD


class Desk:
    """A stage with its store and clock."""

    def __init__(self, store, clock):
        self.store = store
        self.clock = clock
        self.translator = FakeTranslator(lambda _delivery: translated(upsert()))
        self.told = []
        self.stage = self.another()

    def another(self):
        """Make the stage of another worker."""
        return TranslateStage(self.store, self.translator, self.clock, LEASE_S, lambda: self.told.append(1))

    def deliver(self, **changes):
        return self.store.deliveries.record(new_delivery(**changes)).id

    def view(self, delivery_id):
        return self.store.reading.delivery(delivery_id)

    def work(self):
        """Make steps until nothing is due."""
        while self.stage.step():
            pass


@pytest.fixture
def desk(store, clock):
    return Desk(store, clock)


@pytest.fixture
def sqlite_desk(sqlite, clock):
    return Desk(sqlite, clock)


def breaking_on(broken_id, error):
    """Give a meaning that breaks on one delivery and translates the others."""

    def meaning(delivery):
        if delivery.id == broken_id:
            raise error
        return translated(upsert(f"{delivery.id}@example.com"))

    return meaning


def translations(state):
    """Read the counter of translations that ended in this state."""
    return metrics.TRANSLATIONS.labels(state)._value.get()


def test_delivery_becomes_commands_and_the_dispatch_stage_hears_of_it(desk):
    before = translations("translated")
    delivery = desk.deliver()
    assert desk.stage.step()
    assert not desk.stage.step()

    assert desk.view(delivery).state is TRANSLATED
    assert [view.kind for view in desk.store.commands.of_delivery(delivery)] == ["contact.upsert"]
    assert (desk.told, translations("translated") - before) == ([1], 1)


def test_delivery_without_commands_wakes_nobody(desk):
    desk.translator.meaning = lambda _delivery: Translation(DeliveryState.IGNORED, reason="no-email")
    delivery = desk.deliver()
    desk.work()
    assert (desk.view(delivery).state, desk.view(delivery).reason) == (DeliveryState.IGNORED, "no-email")
    assert desk.told == []


def test_all_that_is_due_is_translated_oldest_first(desk):
    ids = [desk.deliver(received_at=after(number - 100)) for number in range(CLAIM_LIMIT + 5)]
    desk.work()
    assert desk.translator.seen == ids


def test_held_delivery_is_looked_at_again_when_it_is_due(desk):
    held = Translation(DeliveryState.HELD, reason="cart-after", due_at=after(600))
    desk.translator.meaning = lambda _delivery: held
    delivery = desk.deliver()
    desk.work()
    assert desk.view(delivery).state is DeliveryState.HELD

    desk.translator.meaning = lambda _delivery: translated(upsert())
    desk.clock.advance(599)
    desk.work()
    assert desk.view(delivery).state is DeliveryState.HELD
    desk.clock.advance(1)
    desk.work()
    assert desk.view(delivery).state is TRANSLATED


def test_delivery_that_is_held_again_and_again_is_not_taken_for_broken(sqlite_desk):
    desk = sqlite_desk
    delivery = desk.deliver()
    for second in range(1, TRANSLATION_TRIES * 3):
        due = after(second)
        desk.translator.meaning = lambda _delivery, due=due: Translation(DeliveryState.HELD, "wait", due_at=due)
        desk.work()
        desk.clock.advance(1)
    desk.translator.meaning = breaking_on(delivery, KeyError("x"))
    desk.work()
    assert desk.view(delivery).state is DeliveryState.HELD
    assert desk.view(delivery).due_at > desk.clock.now()


def test_translation_error_is_a_dead_letter_at_once_with_its_words(desk):
    before = translations("dead")
    bad, good = desk.deliver(), desk.deliver()
    desk.translator.meaning = breaking_on(bad, PayloadInvalid("line_items: is missing"))
    with capture_logs() as logs:
        desk.work()

    assert (desk.view(bad).state, desk.view(bad).reason) == (DEAD, "line_items: is missing")
    assert desk.view(good).state is TRANSLATED
    assert translations("dead") - before == 1
    [line] = [line for line in logs if line["log_level"] == "error"]
    assert (line["event"], line["delivery"]) == ("delivery_dead", bad)


def test_poison_stops_nobody_and_is_buried_after_a_few_tries(desk):
    poison = desk.deliver()
    desk.translator.meaning = breaking_on(poison, KeyError("secret of ann@example.com"))
    with capture_logs() as logs:
        for number in range(TRANSLATION_TRIES):
            assert desk.view(poison).state is RECEIVED
            other = desk.deliver(dedupe=f"other-{number}")
            desk.work()
            assert desk.view(other).state is TRANSLATED
            desk.clock.advance(3600)

    view = desk.view(poison)
    assert (view.state, view.attempts) == (DEAD, TRANSLATION_TRIES)
    assert "KeyError" in view.reason
    assert "example.com" not in view.reason
    broke = [line for line in logs if line["event"] == "translation_broke"]
    assert [line["tries"] for line in broke] == list(range(1, TRANSLATION_TRIES + 1))
    assert all(isinstance(line["exc_info"], KeyError) for line in broke)
    assert "body" not in broke[0]


def test_poison_waits_longer_each_time(sqlite_desk):
    desk = sqlite_desk
    poison = desk.deliver()
    desk.translator.meaning = breaking_on(poison, KeyError("x"))
    waits = []
    for _ in range(TRANSLATION_TRIES - 1):
        desk.work()
        waits.append((desk.view(poison).due_at - desk.clock.now()).total_seconds())
        desk.clock.advance(waits[-1])
    assert waits == sorted(set(waits))
    assert waits[0] <= 10


def test_delivery_that_takes_the_worker_down_is_buried_without_another_try(desk):
    deadly = desk.deliver()
    for _ in range(TRANSLATION_TRIES):
        assert len(desk.store.deliveries.claim(desk.clock.now(), LEASE_S, 10)) == 1
        desk.clock.advance(LEASE_S)
    desk.work()
    assert desk.view(deadly).state is DEAD
    assert desk.translator.seen == []


def test_half_a_translation_is_never_stored(desk, monkeypatch):
    delivery = desk.deliver()

    def failing(connection, items, now):
        raise KeyError("x")

    with monkeypatch.context() as patch:
        patch.setattr("relay.store.workbench.store_items", failing)
        desk.work()
    assert desk.view(delivery).state is RECEIVED
    assert desk.store.commands.of_delivery(delivery) == []

    desk.clock.advance(60)
    desk.work()
    assert len(desk.store.commands.of_delivery(delivery)) == 1


def test_delivery_that_was_taken_over_meanwhile_is_not_applied_twice(desk):
    delivery = desk.deliver()
    desk.translator.meaning = breaking_on(delivery, StoreUnavailable("connection lost"))
    with pytest.raises(StoreUnavailable):
        desk.stage.step()
    desk.translator.meaning = lambda _delivery: translated(upsert())
    desk.clock.advance(LEASE_S)
    assert desk.another().step()

    with capture_logs() as logs:
        assert desk.stage.step()
    assert [line["event"] for line in logs] == ["translation_came_too_late"]
    assert len(desk.store.commands.of_delivery(delivery)) == 1


def test_outage_leaves_the_work_in_hand_for_the_next_step(sqlite_desk, monkeypatch):
    desk = sqlite_desk
    first, second, third = (desk.deliver() for _ in range(3))
    broken = [second]

    def meaning(delivery):
        if delivery.id in broken:
            raise StoreUnavailable("disk full")
        return translated(upsert())

    desk.translator.meaning = meaning
    with pytest.raises(StoreUnavailable):
        desk.stage.step()
    assert [desk.view(each).state for each in (first, second, third)] == [RECEIVED] * 3, "a slice is stored whole"

    broken.clear()
    assert desk.stage.step(), "no lease has to run out first"
    assert [desk.view(each).state for each in (first, second, third)] == [TRANSLATED] * 3
    assert desk.translator.seen == [first, second, first, second, third]


def test_slice_is_stored_together_and_one_that_breaks_hurts_no_neighbour(desk):
    ids = [desk.deliver() for _ in range(SLICE + 3)]
    desk.translator.meaning = breaking_on(ids[4], KeyError("x"))
    with capture_logs() as logs:
        desk.work()
    states = {each: desk.view(each).state for each in ids}
    assert states.pop(ids[4]) is RECEIVED
    assert set(states.values()) == {TRANSLATED}
    assert [entry["event"] for entry in logs].count("translation_broke") == 1


def test_faulty_delivery_is_buried_and_the_rest_of_its_slice_goes_on(desk):
    ids = [desk.deliver() for _ in range(5)]
    desk.translator.meaning = breaking_on(ids[2], PayloadInvalid("The body is empty."))
    desk.work()
    assert [desk.view(each).state for each in ids] == [TRANSLATED, TRANSLATED, DEAD, TRANSLATED, TRANSLATED]
    assert desk.translator.seen == ids, "nobody is translated twice for it"


def test_delivery_that_was_begun_before_and_not_finished_comes_alone(desk):
    """Should it take its worker down again, it takes no other delivery's tries with it."""
    first, second, third = (desk.deliver() for _ in range(3))
    [taken] = desk.store.deliveries.claim(desk.clock.now(), 1, 1)
    assert taken.id == first
    desk.clock.advance(1)
    claims = [desk.store.deliveries.claim(desk.clock.now(), LEASE_S, 10) for _ in range(2)]
    assert [[each.id for each in claimed] for claimed in claims] == [[second, third], [first]]


def test_delivery_that_was_begun_before_takes_no_other_shops_with_it_either(desk):
    desk.deliver(shop="other")
    [taken] = desk.store.deliveries.claim(desk.clock.now(), 1, 1)
    desk.clock.advance(1)
    desk.deliver(received_at=desk.clock.now())
    claims = [desk.store.deliveries.claim(desk.clock.now(), LEASE_S, 10) for _ in range(2)]
    assert sorted(len(claimed) for claimed in claims) == [1, 1]
    assert taken.id in {claimed[0].id for claimed in claims}


def test_one_shops_backlog_does_not_keep_another_waiting(desk):
    backlog = [desk.deliver() for _ in range(CLAIM_LIMIT * 2)]
    fresh = desk.deliver(shop="other")
    desk.stage.step()
    assert desk.view(fresh).state is TRANSLATED
    assert desk.view(backlog[-1]).state is RECEIVED


def test_later_deliveries_of_a_slice_see_what_earlier_ones_ask_for(desk):
    key = EventKey("acme", "order", "1001", "PURCHASE")
    order = Resource("acme", "order", "1001", facts={"versions": (1, "a"), "paid": True})

    class Looking(FakeTranslator):
        def translate(self, delivery, memory, now, opened=None):
            seen.append(
                (
                    memory.resource("acme", "order", "1001"),
                    [link.digest for link in memory.events("acme", "order", "1001")],
                    memory.contact_digest("main", "ANN@example.com"),
                )
            )
            return translated(upsert(), put(key=key), resources=(order,))

    seen = []
    desk.translator = Looking()
    desk.stage = desk.another()
    first, second = desk.deliver(), desk.deliver()
    desk.work()
    assert seen[0] == (None, [], None)
    read_back = replace(order, facts={"versions": [1, "a"], "paid": True})
    assert seen[1] == (read_back, [digest(put().payload)], digest(upsert().payload))
    with desk.store.deliveries.translating() as bench:
        assert bench.memory.resource("acme", "order", "1001") == read_back
    assert [len(desk.store.commands.of_delivery(each)) for each in (first, second)] == [2, 2]
