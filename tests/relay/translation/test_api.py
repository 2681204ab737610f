from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from relay import jsontext
from relay.clock import epoch_ms
from relay.commands import Command, CommandKind, ContactSubject, EventKey, ProductSubject
from relay.deliveries import Delivery, DeliveryState
from relay.errors import MappingFailed, PayloadInvalid, RequestInvalid
from relay.shops import Group
from relay.translation.api import REQUEST_ID, TOPICS, ApiCall, api_replay, api_translation
from relay.translation.loading import load_mappings
from relay.translation.mapping import Mapping

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
PRODUCT = {"id": "611", "name": "Blue shirt", "price": Decimal("129.90")}

MakeMapping = Callable[[str], Mapping]


def group(**changes: Any) -> Group:
    settings: dict[str, Any] = {
        "key": "main",
        "endpoint": "https://sm.example",
        "client_id": "client",
        "api_key": "key",
        "api_secret": "secret",
        "owner": "owner@shop.example",
        "location": "acme_shop",
        "products": frozenset({"feed", "catalog"}),
    }
    return Group(**(settings | changes))


@pytest.fixture
def mapping_of(tmp_path: Path) -> MakeMapping:
    def make(text: str) -> Mapping:
        (tmp_path / "own.toml").write_text(text, encoding="utf-8")
        return load_mappings(tmp_path, ["own"])["own"]

    return make


@pytest.fixture
def plain(mapping_of: MakeMapping) -> Mapping:
    return mapping_of("")


def call(topic: str, data: Any) -> ApiCall:
    return ApiCall(topic, data, request_id="request-1", received_at=NOW)


def only_command(topic: str, data: Any, mapping: Mapping) -> Command:
    translation = api_translation(call(topic, data), group(), mapping)
    assert translation.state is DeliveryState.TRANSLATED
    [command] = translation.commands
    return command


def faults(topic: str, data: Any, mapping: Mapping, **changes: Any) -> dict[str, list[str]]:
    with pytest.raises(RequestInvalid) as caught:
        api_translation(call(topic, data), group(**changes), mapping)
    return caught.value.fields


def test_contact_becomes_an_upsert(plain: Mapping) -> None:
    data = {"email": "Anna@shop.example", "city": "Warsaw", "tags": ["new"], "properties": {"size": 42}}
    command = only_command("contacts.upsert", data, plain)
    assert (command.kind, command.subject) == (CommandKind.CONTACT_UPSERT, ContactSubject("Anna@shop.example"))
    assert command.payload["contact"] == {"email": "Anna@shop.example", "address": {"city": "Warsaw"}}
    assert command.payload["properties"] == {"size": "42"}
    assert command.payload["tags"] == ["NEW"]
    assert command.payload["useApiDoubleOptIn"] is False


def test_changed_address_belongs_to_the_same_contact(plain: Mapping) -> None:
    data = {"email": "anna@shop.example", "newEmail": "anna@other.example"}
    assert only_command("contacts.upsert", data, plain).subject == ContactSubject(
        "anna@shop.example", "anna@other.example"
    )


def test_new_address_that_is_the_old_one_changes_nothing(plain: Mapping) -> None:
    data = {"email": "anna@shop.example", "newEmail": "Anna@shop.example"}
    command = only_command("contacts.upsert", data, plain)
    assert command.subject == ContactSubject("anna@shop.example")
    assert "newEmail" not in command.payload


def test_mapping_names_the_callers_own_keys(mapping_of: MakeMapping) -> None:
    mapping = mapping_of(
        """
        [api.contacts]
        email = "{{ data.epost }}"
        tags = ["API", "{{ data.labels }}"]
        [api.contacts.properties]
        size = "{{ data.shoe }}"
        """
    )
    data = {"epost": "anna@shop.example", "labels": ["a", "b"], "shoe": 42, "name": "Anna"}
    payload = only_command("contacts.upsert", data, mapping).payload
    assert payload["contact"] == {"email": "anna@shop.example", "name": "Anna"}
    assert payload["tags"] == ["API", "A", "B"]
    assert payload["properties"] == {"size": "42"}


def test_key_nobody_knows_is_refused_with_the_nearest(plain: Mapping) -> None:
    told = faults("contacts.upsert", {"email": "anna@shop.example", "nmae": "Anna"}, plain)
    assert told == {"data.nmae": ['Unknown field; did you mean "name"?']}


@pytest.mark.parametrize("topic", sorted(TOPICS))
@pytest.mark.parametrize("data", [None, "text", 5, [], [[]]])
def test_data_of_another_shape_is_refused(topic: str, data: object, plain: Mapping) -> None:
    [path] = faults(topic, data, plain)
    assert path in {"data", "data.0"}


def test_failing_mapping_names_file_and_key(mapping_of: MakeMapping) -> None:
    mapping = mapping_of('[api.events]\nvalue = "{{ data.net }}"')
    with pytest.raises(MappingFailed, match=r"own\.toml:2 api\.events\.value"):
        api_translation(
            call("events.add", {"net": {"gross": 1}, "email": "a@shop.example", "contactExtEventType": "CART"}),
            group(),
            mapping,
        )


def test_deletion_needs_the_address_alone(mapping_of: MakeMapping) -> None:
    mapping = mapping_of('[api.contacts]\nemail = "{{ data.epost }}"\ntags = ["API"]')
    command = only_command("contacts.delete", {"epost": "anna@shop.example"}, mapping)
    assert (command.kind, command.subject) == (CommandKind.CONTACT_DELETE, ContactSubject("anna@shop.example"))
    assert command.payload == {"email": "anna@shop.example"}


def test_deletion_refuses_keys_nobody_knows(plain: Mapping) -> None:
    assert list(faults("contacts.delete", {"email": "a@shop.example", "really": True}, plain)) == ["data.really"]


def test_event_is_added_to_its_contact(plain: Mapping) -> None:
    data = {
        "email": "anna@shop.example",
        "contactExtEventType": "PURCHASE",
        "date": "2026-11-23T09:00:00Z",
        "value": Decimal("249.90"),
        "products": "501,502",
        "location": "other_shop",
        "externalId": 1001,
    }
    command = only_command("events.add", data, plain)
    assert (command.kind, command.subject) == (CommandKind.EVENT_PUT, ContactSubject("anna@shop.example"))
    assert command.payload == {
        "contactEvent": {
            "date": epoch_ms(datetime(2026, 11, 23, 9, tzinfo=UTC)),
            "contactExtEventType": "PURCHASE",
            "value": Decimal("249.90"),
            "products": "501,502",
            "location": "other_shop",
            "externalId": "1001",
        }
    }


def test_event_happens_now_in_the_groups_shop_unless_it_says_otherwise(plain: Mapping) -> None:
    data = {"email": "anna@shop.example", "contactExtEventType": "LOGIN"}
    event = only_command("events.add", data, plain).payload["contactEvent"]
    assert event == {"contactExtEventType": "LOGIN", "date": epoch_ms(NOW), "location": "acme_shop"}


def test_event_may_know_its_contact_by_salesmanagos_id_alone(plain: Mapping) -> None:
    command = only_command("events.add", {"contactId": "c-1", "contactExtEventType": "VISIT"}, plain)
    assert command.subject == ContactSubject("", contact_id="c-1")
    assert "contactId" not in command.payload["contactEvent"]


def test_two_calls_never_share_an_event(plain: Mapping) -> None:
    data = {"email": "anna@shop.example", "contactExtEventType": "PURCHASE", "externalId": "1001"}
    keys = set()
    for request_id in ("request-1", "request-2"):
        translation = api_translation(ApiCall("events.add", data, request_id, NOW), group(), plain)
        keys.add(translation.commands[0].event)
    assert keys == {EventKey("", "api", each, "PURCHASE") for each in ("request-1", "request-2")}


def test_lists_of_an_event_are_joined_and_cut_in_step(mapping_of: MakeMapping) -> None:
    mapping = mapping_of('[event.lists]\ndetail1 = "/"')
    data = {
        "email": "anna@shop.example",
        "contactExtEventType": "CART",
        "products": [f"product-{number:03}" for number in range(100)],
        "detail1": [f"n{number}" for number in range(100)],
    }
    command = only_command("events.add", data, mapping)
    event = command.payload["contactEvent"]
    assert len(event["products"]) <= 512
    assert len(event["products"].split(",")) == len(event["detail1"].split("/"))
    assert event["products"].split(",")[-1] in data["products"]
    assert "list items were left out" in command.warnings[0]


def test_products_go_to_the_catalogue_and_the_feed(plain: Mapping) -> None:
    translation = api_translation(call("products.upsert", [PRODUCT | {"id": 611}]), group(), plain)
    [item], [command] = translation.items, translation.commands
    assert (item.group, item.location, item.product_id, item.shop, item.active) == (
        "main",
        "acme_shop",
        "611",
        None,
        True,
    )
    assert item.fields == {"id": "611", "name": "Blue shirt", "price": Decimal("129.90")}
    assert (command.kind, command.subject) == (CommandKind.PRODUCT_UPSERT, ProductSubject("acme_shop", "611"))
    assert command.payload["productId"] == "611"
    assert command.payload["active"] is True


def test_group_with_a_feed_alone_sends_nothing(plain: Mapping) -> None:
    feed_only = group(products=frozenset({"feed"}))
    translation = api_translation(call("products.upsert", [PRODUCT]), feed_only, plain)
    assert (len(translation.items), translation.commands) == (1, ())


def test_group_without_products_says_so(plain: Mapping) -> None:
    assert list(faults("products.upsert", [PRODUCT], plain, products=frozenset())) == ["group_key"]


def test_products_that_fit_are_taken_and_the_others_told(plain: Mapping) -> None:
    data = [PRODUCT | {"name": "x" * 101}, PRODUCT, {"id": "7"}, "no product", PRODUCT | {"name": "again"}]
    translation = api_translation(call("products.upsert", data), group(), plain)
    assert [item.fields["name"] for item in translation.items] == ["Blue shirt"]
    assert translation.warnings == (
        "data.0.name: Longer than 100 characters.",
        "data.2.name: Missing or empty.",
        "data.2.price: Missing or empty.",
        "data.3: Missing, or no JSON object.",
        "data.4.id: An earlier product of this list has the same id.",
    )


def test_list_in_which_no_product_fits_is_refused(plain: Mapping) -> None:
    assert faults("products.upsert", [PRODUCT | {"color": "x" * 41}], plain) == {
        "data.0.color": ["Longer than 40 characters."]
    }


def stored(topic: str, body: Any) -> Delivery:
    return Delivery(
        id=1,
        platform="api",
        group="main",
        shop=None,
        topic=topic,
        headers={REQUEST_ID: "request-1"},
        body=jsontext.dumps(body).encode(),
        received_at=NOW,
    )


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        ("contacts.upsert", {"data": {"email": "anna@shop.example"}}),
        ("contacts.delete", {"email": "anna@shop.example"}),
        ("events.add", {"data": {"email": "anna@shop.example", "contactExtEventType": "CART"}, "group_key": "main"}),
        ("products.upsert", {"data": [PRODUCT]}),
    ],
)
def test_replay_asks_for_what_the_call_asked_for(topic: str, body: dict[str, Any], plain: Mapping) -> None:
    data = body.get("data", body)
    assert api_replay(stored(topic, body), group(), plain) == api_translation(call(topic, data), group(), plain)


def test_replay_that_no_longer_fits_is_a_dead_letter_that_names_the_field(plain: Mapping) -> None:
    with pytest.raises(PayloadInvalid, match=r"data\.epost: Unknown field"):
        api_replay(stored("contacts.upsert", {"data": {"email": "a@shop.example", "epost": 1}}), group(), plain)


def test_translation_can_be_found_by_the_callers_request_id(plain: Mapping) -> None:
    translation = api_translation(call("contacts.delete", {"email": "a@shop.example"}), group(), plain)
    assert (translation.resource_kind, translation.resource_id) == ("request", "request-1")
