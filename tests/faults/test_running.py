from __future__ import annotations

from relay.commands import Verdict
from relay.store import Store
from tests.faults.running import is_put_off
from tests.support.stored import NOW, after, ask, end, put, upsert


def test_what_waits_for_a_later_try_is_not_stuck_and_what_is_due_may_be(store: Store):
    ask(store, upsert())
    assert not is_put_off(store, NOW)
    end(store, Verdict.RETRY, due_at=after(600))
    ask(store, put())  # behind it, and due
    assert is_put_off(store, NOW)
    assert not is_put_off(store, after(600))
