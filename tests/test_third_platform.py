"""A third platform is one more module in handlers/: dropped in, nothing else edited."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

import handlers
from handlers import discover_platforms
from relay import jsontext
from relay.commerce import Order
from relay.configuration import load_directory
from relay.errors import ConfigurationError
from relay.salesmanago.client import Client
from relay.settings import load_settings
from relay.translation.translator import Translator
from relay.worker.worker import Worker
from tests.support.platforms import Edge, refusal, status
from tests.support.sandbox import ACCOUNT, running_sandbox

TOY = Path(__file__).parent / "support" / "toyshop.py"
BODY = b"""{
  "sale": 17, "state": "sold", "at": "2026-11-24T09:30:00+00:00", "mail": "anna@shop.example", "who": "Anna Example",
  "toys": [{"toy": "top", "called": "Spinning top", "pieces": 2, "paid": "7.90"},
           {"toy": "owl", "called": "Owl", "pieces": 1, "paid": "12.50"}]
}"""


@pytest.fixture
def dropped_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that handlers/ reaches into, with the toy in it; gives the folder."""
    folder = tmp_path / "more_handlers"
    folder.mkdir()
    shutil.copy(TOY, folder / "toyshop.py")
    monkeypatch.setattr(handlers, "__path__", [*handlers.__path__, str(folder)])
    importlib.invalidate_caches()
    yield folder
    for name in [path.stem for path in folder.glob("*.py")]:
        sys.modules.pop(f"handlers.{name}", None)
        if hasattr(handlers, name):
            delattr(handlers, name)


@pytest.fixture
def edge(dropped_in: Path, tmp_path: Path, sqlite_url: str) -> Iterator[Edge]:
    with Edge(tmp_path, sqlite_url) as edge:
        yield edge


def test_module_that_is_dropped_in_is_a_platform(dropped_in: Path) -> None:
    assert list(discover_platforms()) == ["shopify", "toyshop", "woocommerce"]


def test_platform_is_gone_when_its_module_is() -> None:
    assert "toyshop" not in discover_platforms()


def test_its_deliveries_are_stored(edge: Edge) -> None:
    assert status(edge.deliver("toyshop", body=BODY)) == "stored"
    assert status(edge.deliver("toyshop", body=BODY)) == "repeated"
    [stored] = edge.deliveries()
    assert (stored.platform, stored.topic, stored.delivery_id, stored.body) == ("toyshop", "sale", "d-1", BODY)
    assert edge.woken == 1


def test_its_own_signature_counts(edge: Edge) -> None:
    assert refusal(edge.post("toyshop", BODY + b" ", edge.headers("toyshop", body=BODY))) == 401
    assert refusal(edge.post("toyshop", BODY, edge.headers("shopify", body=BODY))) == 401
    assert refusal(edge.post("shopify", BODY, edge.headers("toyshop", body=BODY))) == 401
    assert edge.deliveries() == []


def test_its_own_ping_is_answered(edge: Edge) -> None:
    assert status(edge.post("toyshop", b"knock knock", {})) == "pong"
    assert refusal(edge.post("shopify", b"knock knock", {})) == 401


def test_its_body_becomes_the_record_all_platforms_share(edge: Edge) -> None:
    order = edge.platform("toyshop").topics["sale"].read(jsontext.loads(BODY), edge.shop("toyshop"))
    assert isinstance(order, Order)
    assert (order.id, order.total, order.currency) == ("17", Decimal("20.40"), "EUR")
    assert order.placed_at == datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


def test_its_sale_becomes_a_contact_and_a_purchase_in_salesmanago(edge: Edge) -> None:
    edge.deliver("toyshop", body=BODY)
    with running_sandbox([ACCOUNT]) as sandbox:
        account = {"endpoint": sandbox.url, "client_id": ACCOUNT.client_id, "api_secret": ACCOUNT.api_secret}
        group = replace(edge.relay.directory.groups["main"], owner=ACCOUNT.owners[0], **account)
        directory = replace(edge.relay.directory, groups={"main": group})
        client = Client(edge.clock)
        Worker(
            store=edge.store,
            client=client,
            translator=Translator(directory, edge.relay.platforms, edge.relay.mappings),
            directory=directory,
            settings=edge.relay.settings,
            clock=edge.clock,
        ).run_until_idle()
        client.close()
        [contact] = sandbox.state.as_dict(ACCOUNT.client_id)["accounts"][ACCOUNT.client_id]["contacts"]
    assert (contact["email"], contact["fields"]["name"]) == ("anna@shop.example", "Anna Example")
    [event] = contact["events"]
    assert (event["contactExtEventType"], event["value"], event["products"]) == (
        "PURCHASE",
        Decimal("20.40"),
        "top,owl",
    )
    assert event["date"] == int(datetime(2026, 11, 24, 9, 30, tzinfo=UTC).timestamp() * 1000)


def test_configuration_knows_its_words(dropped_in: Path, edge: Edge, tmp_path: Path) -> None:
    config = tmp_path / "relay.toml"
    text = config.read_text(encoding="utf-8")
    for word, fault in (("sold", None), ("processing", "shops.toyshop.statuses.gift")):
        statuses = f'\n[shops.toyshop.statuses]\ngift = "{word}"\n'
        config.write_text(text + statuses, encoding="utf-8")
        assert first_fault(edge) == fault
    assert edge.shop("toyshop").purchase_when == "paid"


def first_fault(edge: Edge) -> str | None:
    """Give where the configuration is wrong first, None where it is fine."""
    try:
        load_directory(load_settings(edge.environ), edge.relay.platforms)
    except ConfigurationError as error:
        return error.faults[0].where
    return None


def test_two_modules_may_not_claim_one_name(dropped_in: Path) -> None:
    shutil.copy(TOY, dropped_in / "toystore.py")
    with pytest.raises(ConfigurationError, match=r'handlers\.toystore: handlers\.toyshop is already .*"toyshop"'):
        discover_platforms()


def test_platform_that_is_none_is_told(dropped_in: Path) -> None:
    (dropped_in / "toystore.py").write_text('PLATFORM = "toystore"\n')
    with pytest.raises(ConfigurationError, match=r"handlers\.toystore: PLATFORM must be"):
        discover_platforms()
