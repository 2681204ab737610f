from __future__ import annotations

import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from relay import jsontext
from sandbox import create_app, state_of
from tests.support.sandbox import ACCOUNT, OTHER_ACCOUNT, SandboxClient


def restarted(keep_file: Path, *accounts: Any) -> SandboxClient:
    return SandboxClient(create_app(accounts or [ACCOUNT], keep_file))


def test_state_survives_a_restart(tmp_path: Path) -> None:
    keep_file = tmp_path / "kept" / "sandbox.json"
    client = restarted(keep_file)
    contact_id = client.contact(contact={"name": "Zoë"}, tags=["vip"], properties={"size": "M"})
    event_id = client.event(value=Decimal("59.90"), externalId="order-9")
    catalog_id = client.catalog()
    product = {"productId": "71", "name": "Mug", "mainCategory": "Kitchen", "price": Decimal("14.90")}
    client.v3("upsert", {"catalogId": catalog_id, "products": [product]})
    request_id = client.v2("contact/batchupsertv2", upsertDetails=[]).body["requestId"]
    client.turn(delete_unknown_contact="accept")
    before = client.state.as_dict()
    client.state.close()

    client = restarted(keep_file)
    assert client.state.as_dict() == before
    assert client.state.switches.changed() == {"delete_unknown_contact": "accept"}
    assert client.contact("ANNA@example.com") == contact_id
    assert client.v2("job/status", requestId=request_id).body["success"] is True
    assert client.v2("v2/contact/deleteContactExtEvent", externalId="order-9").body["success"] is True
    assert event_id not in client.state.holdings[ACCOUNT.client_id].events
    client.state.close()


def test_kept_lines_together_are_the_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.state.CARDS_A_LINE", 2)
    keep_file = tmp_path / "sandbox.json"
    client = restarted(keep_file, ACCOUNT, OTHER_ACCOUNT)
    for number in range(5):
        client.contact(f"p{number}@example.com", contact={"name": "Line\u2028end\n"})
        client.event(f"p{number}@example.com")
    client.contact("only@example.com", account=OTHER_ACCOUNT)
    before = client.state.as_dict()
    client.state.close()
    assert len(keep_file.read_text().split("\n")) == 3 + 1 + 1 + 1 + 1 + 1  # cards and rest of each, switches, the end
    client = restarted(keep_file, ACCOUNT, OTHER_ACCOUNT)
    assert client.state.as_dict() == before
    client.state.close()


def test_file_of_one_text_is_still_read(tmp_path: Path) -> None:
    keep_file = tmp_path / "sandbox.json"
    client = restarted(tmp_path / "other.json")
    client.contact()
    client.event()
    before = client.state.as_dict()
    client.state.close()
    keep_file.write_text(jsontext.dumps(before | {"switches": {"bad_product": "accept_good"}}))
    client = restarted(keep_file)
    assert client.state.as_dict() == before
    assert client.state.switches["bad_product"] == "accept_good"
    client.state.close()


def test_contact_that_goes_while_the_file_is_written_is_left_out(client: SandboxClient) -> None:
    client.contact("first@example.com")
    client.contact("second@example.com")
    held = client.state.holdings[ACCOUNT.client_id]
    listed = list(held.contacts)
    client.v2("contact/delete", email="first@example.com")
    assert [card["email"] for card in held.cards(listed)] == ["second@example.com"]


def test_change_is_written_without_being_asked_to(tmp_path: Path) -> None:
    keep_file = tmp_path / "sandbox.json"
    written = threading.Event()
    client = restarted(keep_file)
    client.contact()
    while not (keep_file.exists() and "anna@example.com" in keep_file.read_text()):
        assert not written.wait(0.02)
    client.state.close()


def test_kept_accounts_that_are_gone_are_left_out(tmp_path: Path) -> None:
    keep_file = tmp_path / "sandbox.json"
    client = restarted(keep_file, ACCOUNT, OTHER_ACCOUNT)
    client.contact()
    client.state.close()
    client = restarted(keep_file, OTHER_ACCOUNT)
    assert list(client.state.as_dict()["accounts"]) == [OTHER_ACCOUNT.client_id]
    client.state.close()


def test_keep_file_holds_no_credentials(tmp_path: Path) -> None:
    keep_file = tmp_path / "sandbox.json"
    client = restarted(keep_file)
    client.contact()
    client.state.close()
    assert ACCOUNT.api_secret not in keep_file.read_text()
    assert ACCOUNT.v3_key not in keep_file.read_text()


def test_nothing_is_written_when_nothing_changed(tmp_path: Path) -> None:
    keep_file = tmp_path / "sandbox.json"
    restarted(keep_file).state.close()
    assert not keep_file.exists()


def test_state_of_an_unknown_account_is_a_key_error(client: SandboxClient) -> None:
    with pytest.raises(KeyError):
        client.state.as_dict("nobody")


def test_simultaneous_calls_for_one_address_end_as_one_card() -> None:
    app = create_app([ACCOUNT])
    ids: list[str] = []

    def put() -> None:
        own = SandboxClient(app)
        ids.extend(own.contact() for _ in range(20))

    threads = [threading.Thread(target=put) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(ids)) == 1
    assert len(state_of(app).holdings[ACCOUNT.client_id].contacts) == 1
