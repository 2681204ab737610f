"""The search for what no link leads to: found, blanked or masked, resumed wherever it was stopped."""

from __future__ import annotations

from pathlib import Path

import pytest

from relay import jsontext
from relay.clock import ManualClock
from relay.commands import EventKey, Outcome, Verdict
from relay.deliveries import DeliveryState, Translation
from relay.memory import CatalogItem, Resource
from relay.privacy import Disclosure, Person
from relay.store import Store
from relay.store.privacy import searching
from relay.worker.privacy import PrivacyStage
from tests.support.privacy import erasure, person, tables_naming, tidy
from tests.support.stored import (
    NOW,
    after,
    ask,
    claim_delivery,
    contact_delete,
    finish_all,
    new_delivery,
    product,
    put,
    translated,
    upsert,
)

ANN, BO, CARL = "ann@example.com", "bo@example.com", "carl@example.com"


@pytest.fixture(autouse=True)
def short_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every search take many steps."""
    monkeypatch.setattr(searching, "SLICE", 2)


def letter(store: Store, body: bytes, state: DeliveryState = DeliveryState.DEAD, **changes) -> int:
    """Store a delivery that came to nothing, so that nothing links it to anybody."""
    reason = changes.pop("reason", "The body is not JSON.")
    return store.deliveries.record(new_delivery(body=body, **changes), Translation(state, reason)).id


def erase(store: Store, *addresses: str, **changes) -> int:
    new = new_delivery(body=f'{{"email":"{addresses[0]}"}}'.encode(), received_at=changes.pop("at", NOW))
    return store.deliveries.record(new, translated(privacy=(erasure(*addresses, **changes),))).id


def body_of(store: Store, delivery_id: int) -> bytes:
    view = store.reading.delivery(delivery_id)
    assert view is not None
    assert view.body is not None
    return view.body


@pytest.mark.parametrize("state", [DeliveryState.DEAD, DeliveryState.IGNORED, DeliveryState.TRANSLATED])
def test_delivery_that_nothing_links_to_the_person_is_found_by_its_words(store, tmp_path, state):
    mine = letter(store, b'{"email":"Ann\\u0040example.com", broken', state)
    theirs = letter(store, b'{"email":"joann@example.com", broken', state)
    erase(store, ANN)
    assert tidy(store, tmp_path)

    view = store.reading.delivery(mine)
    assert (view.body, view.headers, view.reason) == (b"", {}, "erased")
    assert view.state is (DeliveryState.TRANSLATED if state is DeliveryState.TRANSLATED else DeliveryState.IGNORED)
    assert body_of(store, theirs) != b""


def test_dead_letter_that_was_erased_waits_for_nobody(store, tmp_path):
    letter(store, b"ann@example.com")
    erase(store, ANN)
    assert tidy(store, tmp_path)

    assert store.reading.dead().deliveries == []


def test_phone_and_long_ids_lead_to_deliveries_without_address(store, tmp_path):
    found = [
        letter(store, b'{"phone":"(555) 100-2000"'),
        letter(store, b'{"customer":{"id":7061234567890}'),
        letter(store, b"", headers={"x-note": "5551002000"}),
    ]
    other_shop = letter(store, b'{"customer":{"id":7061234567890}', shop="other")
    erase(store, ANN, phones=("+1 555 100 2000",), accounts=(("acme", "7061234567890"),))
    assert tidy(store, tmp_path)

    assert [store.reading.delivery(each).reason for each in found] == ["erased"] * 3
    assert body_of(store, other_shop) != b""


def test_other_groups_are_not_searched(store, tmp_path):
    theirs = letter(store, b"ann@example.com", group="second", shop="second-shop")
    erase(store, ANN)
    assert tidy(store, tmp_path)

    assert body_of(store, theirs) == b"ann@example.com"


def test_sale_that_belongs_to_nobody_yet_is_the_persons_when_it_names_them(store, database_url, tmp_path):
    sale = Resource("acme", "order", "1001", NOW, None, "orders/create", b'{"email":"ann@example.com","street":"Elm"}')
    ask(store, resources=(sale,))
    erase(store, ANN)
    assert tidy(store, tmp_path)

    assert tables_naming(database_url, ANN, "Elm") == set()


def test_sale_that_belongs_to_nobody_yet_stays_when_it_is_newer(store, database_url, tmp_path):
    sale = Resource("acme", "cart", "c", NOW, None, "checkouts/create", b'{"email":"ann@example.com"}', since=after(60))
    ask(store, resources=(sale,))
    erase(store, ANN)
    assert tidy(store, tmp_path)

    assert tables_naming(database_url, ANN) == {"resources"}


def test_mentions_in_what_is_about_others_are_masked_and_the_rest_stays(store, database_url, tmp_path):
    note = f"A gift for {ANN}"
    sale = Resource(
        "acme", "order", "9", NOW, BO, "orders/create", jsontext.dumps({"note": note}).encode(), {"n": [ANN]}
    )
    mug = CatalogItem("main", "acme_shop", "7", "acme", "70", {"name": f"Mug of {ANN}"}, active=True)
    key = EventKey("acme", "order", "9", "PURCHASE")
    ask(store, put(BO, key, description=note), product("7"), resources=(sale,), items=(mug,))
    ask(store, upsert(CARL, note=note))
    end_with(store, f"Refused: {note}")
    store.answers.begin("key", "digest", NOW)
    store.answers.finish("key", 200, f'{{"messages":["{note}"]}}'.encode(), NOW)
    erase(store, ANN)
    assert tidy(store, tmp_path)

    assert tables_naming(database_url, ANN) == set()
    assert {"resources", "catalog_items", "commands"} <= tables_naming(database_url, "***")
    with store.deliveries.translating() as bench:
        kept = bench.memory.resource("acme", "order", "9")
        assert (jsontext.loads(kept.body), kept.facts) == ({"note": "A gift for ***"}, {"n": ["***"]})
        assert bench.memory.item("main", "acme_shop", "7").fields == {"name": "Mug of ***"}


def test_body_that_is_no_json_is_masked_all_the_same(store, database_url, tmp_path):
    ask(store, resources=(Resource("acme", "product", "70", NOW, None, "products/create", b"For ann@example.com, {"),))
    erase(store, ANN)
    assert tidy(store, tmp_path)

    with store.deliveries.translating() as bench:
        assert bench.memory.resource("acme", "product", "70").body == b"For ***, {"


def end_with(store: Store, message: str) -> None:
    claimed = store.commands.claim(NOW, 60, 10)
    store.commands.begin(claimed, NOW)
    store.commands.settle([Outcome(command, Verdict.DEAD, message) for command in claimed], NOW)


def test_what_arrives_after_the_erasure_is_not_searched(store, tmp_path):
    erase(store, ANN)
    later = letter(store, b"ann@example.com")
    assert tidy(store, tmp_path)

    assert body_of(store, later) == b"ann@example.com"


def test_delivery_about_something_newer_stays(store, tmp_path):
    sale = Resource("acme", "order", "1002", NOW, ANN, "orders/create", b"{}", since=after(60))
    meaning = translated(resources=(sale,), resource_kind="order", resource_id="1002")
    newer = store.deliveries.record(new_delivery(body=b"ann@example.com"), meaning).id
    erase(store, ANN)
    assert tidy(store, tmp_path)

    assert body_of(store, newer) == b"ann@example.com"


def test_delivery_that_is_still_to_be_translated_is_waited_for(store, tmp_path):
    first = letter(store, b"ann@example.com")
    waiting = store.deliveries.record(new_delivery(body=b"ann@example.com")).id
    last = letter(store, b"ann@example.com")
    erase(store, ANN)
    assert not tidy(store, tmp_path)
    assert [body_of(store, each) == b"" for each in (first, waiting, last)] == [True, False, False]

    store.deliveries.bury(claim_delivery(store), "The body is not JSON.")
    assert tidy(store, tmp_path)
    assert [body_of(store, each) == b"" for each in (first, waiting, last)] == [True, True, True]


def test_search_that_waits_keeps_no_other_task_waiting(store, tmp_path):
    store.deliveries.record(new_delivery(body=b"ann@example.com"))
    theirs = letter(store, b"bo@example.com")
    erase(store, ANN)
    erase(store, BO)
    tidy(store, tmp_path)

    assert body_of(store, theirs) == b""
    assert [task.finished_at is None for task in store.privacy.list()] == [False, True]


def test_several_people_are_searched_for_together(store, tmp_path, monkeypatch):
    letters = [letter(store, email.encode()) for email in (ANN, BO, CARL, f"{ANN} and {BO}")]
    read: list[list[Person]] = []

    def counting(connection, place, persons, traces):
        read.append(persons)
        return searching.read_slice(connection, place, persons, traces)

    monkeypatch.setattr("relay.store.privacy.tasks.read_slice", counting)
    erase(store, ANN)
    erase(store, BO)
    assert tidy(store, tmp_path)

    assert [body_of(store, each) for each in letters] == [b"", b"", CARL.encode(), b""]
    assert {len(persons) for persons in read} == {2}


def test_erasure_that_is_not_thorough_searches_nothing(store, tmp_path):
    mine = letter(store, b"ann@example.com")
    erase(store, ANN, thorough=False)
    assert tidy(store, tmp_path)

    assert body_of(store, mine) == b"ann@example.com"


def test_search_goes_on_where_a_killed_worker_left_it(database_url, tmp_path):
    store = Store.open(database_url, folder=tmp_path)
    letters = [letter(store, b"ann@example.com") for _ in range(7)]
    ask(store, put(BO, description=ANN))
    store.deliveries.record(new_delivery(), translated(contact_delete(ANN), privacy=(erasure(ANN),)))
    finish_all(store)
    store.close()
    steps = 0
    going = True
    while going:  # each step by a process of its own
        store = Store.open(database_url, folder=tmp_path)
        going = PrivacyStage(store, ManualClock(NOW), tmp_path).step()
        store.close()
        steps += going
    store = Store.open(database_url, folder=tmp_path)

    assert steps > 5
    assert [body_of(store, each) for each in letters] == [b""] * 7
    assert tables_naming(database_url, ANN) == set()
    store.close()


def test_worker_that_is_killed_within_a_step_has_done_nothing_of_it(store, database_url, tmp_path, monkeypatch):
    mine = letter(store, b"ann@example.com")
    erase(store, ANN)

    def killed(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("relay.store.privacy.hits.withdraw_commands", killed)
        with pytest.raises(KeyboardInterrupt):
            tidy(store, tmp_path)
    assert body_of(store, mine) == b"ann@example.com"

    assert tidy(store, tmp_path)
    assert body_of(store, mine) == b""


def test_worker_that_comes_too_late_changes_nothing(store, tmp_path):
    letter(store, b"ann@example.com")
    erase(store, ANN)
    [stale] = store.privacy.unfinished(NOW)
    assert store.privacy.search([stale], NOW)

    assert not store.privacy.search([stale], NOW)
    assert tidy(store, tmp_path)
    assert not store.privacy.conclude(stale, NOW)
    [task] = store.privacy.list()
    assert task.counts == {"deliveries": 1}


def test_task_that_breaks_rests_and_stops_no_other(store, tmp_path, monkeypatch):
    erase(store, ANN)
    erase(store, BO)
    conclude, broken = store.privacy.conclude, store.privacy.unfinished(NOW)[0].id

    def breaking(task, now):
        if task.id == broken and now < after(60):
            raise RuntimeError
        return conclude(task, now)

    monkeypatch.setattr(store.privacy, "conclude", breaking)
    assert not tidy(store, tmp_path)
    assert [task.finished_at is None for task in store.privacy.list()] == [False, True]
    assert tidy(store, tmp_path, after(61))


def test_what_is_disclosed_is_what_an_erasure_takes_away(store, database_url, tmp_path):
    sale = Resource(
        "acme", "order", "1001", NOW, ANN, "orders/create", b'{"email":"ann@example.com"}', since=after(-60)
    )
    nobodys = Resource("acme", "cart", "c", NOW, None, "checkouts/create", b'{"email":"ann@example.com"}')
    account = Resource("acme", "customer", "7", NOW, ANN, "customers/create", b'{"email":"ann@example.com"}')
    key = EventKey("acme", "order", "1001", "PURCHASE")
    about = {"resource_kind": "order", "resource_id": "1001"}
    bodies = [b'{"email":"ann@example.com","n":1}', b'{"email":"ann@example.com","n":2}']
    sold = new_delivery(body=bodies[0])
    store.deliveries.record(sold, translated(upsert(ANN), put(ANN, key), resources=(sale, account, nobodys), **about))
    letter(store, b"\xffann@example.com")
    store.deliveries.record(new_delivery(platform="api", shop=None, body=bodies[1]), translated(upsert(ANN)))
    ask(store, put(BO, description=ANN), upsert(BO))
    store.deliveries.record(new_delivery(), translated(privacy=(Disclosure(person(ANN), "acme-1.json"),)))
    finish_all(store)
    assert tidy(store, tmp_path)
    told = jsontext.loads((tmp_path / "data-requests" / "acme-1.json").read_bytes())

    before = {each.id: each.body for each in map(store.reading.delivery, range(1, 6))}
    commands = {each.id: each.payload for each in store.reading.commands(limit=100)}
    erase(store, ANN)
    finish_all(store)
    assert tidy(store, tmp_path)

    blanked = {id_ for id_, body in before.items() if body and not body_of(store, id_)}
    emptied = {each.id for each in store.reading.commands(limit=100) if not each.payload and commands.get(each.id)}
    assert {each["id"] for each in told["deliveries"]} == blanked == {1, 2, 3}
    assert {each["id"] for each in told["commands"]} == emptied
    assert {(each["kind"], each["id"]) for each in told["memory"]} == {
        ("order", "1001"),
        ("customer", "7"),
        ("cart", "c"),
    }
    assert [(each["slot"], each["resource_id"]) for each in told["events"]] == [("PURCHASE", "1001")]
    assert [each["address"] for each in told["contacts"]] == [ANN]
    masked = {each.id for each in store.reading.commands(limit=100) if each.payload not in ({}, commands.get(each.id))}
    assert [mention for mention in told["mentions"] if mention[0] == "commands"] == [
        ["commands", [id_]] for id_ in masked
    ]
    assert tables_naming(database_url, ANN) == set()
    assert not list((tmp_path / "data-requests").iterdir())


def test_disclosure_shows_what_was_said_and_hides_the_relays_own_affairs(store, tmp_path: Path):
    letter(store, b'{"email":"ann@example.com","total":9.90}', DeliveryState.IGNORED, reason="test-order")
    store.deliveries.record(new_delivery(), translated(privacy=(Disclosure(person(ANN), "acme-1.json"),)))
    assert tidy(store, tmp_path)
    file = tmp_path / "data-requests" / "acme-1.json"
    told = jsontext.loads(file.read_bytes())

    [delivery] = told["deliveries"]
    assert delivery["body"]["email"] == ANN
    assert b"9.90" in file.read_bytes()
    assert delivery["reason"] == "test-order"
    assert {"lease_token", "dedupe"}.isdisjoint(delivery)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_file_that_could_not_be_written_is_written_later(store, tmp_path):
    store.deliveries.record(new_delivery(), translated(privacy=(Disclosure(person(ANN), "acme-1.json"),)))
    (tmp_path / "data-requests").write_text("in the way")
    assert not tidy(store, tmp_path)
    (tmp_path / "data-requests").unlink()

    assert tidy(store, tmp_path, after(61))
    assert [file.name for file in (tmp_path / "data-requests").iterdir()] == ["acme-1.json"]
