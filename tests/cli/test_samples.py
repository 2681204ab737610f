"""Sending samples to a relay that a stub stands for; one that stores what it is sent, as the relay does."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest
from werkzeug import Response

from cli.samples import reachable
from relay.commands import Verdict
from relay.deliveries import DeliveryState, Translation
from relay.readers import Address
from relay.settings import load_settings
from tests.support.cli import PLATFORMS, a_directory, group, shop
from tests.support.stored import end, new_delivery, put, translated

DEMO_LIFE = 6


class StubRelay:
    """Stores every delivery in the commands' own store, as if the worker had made ``translation`` of it."""

    def __init__(self, cli, httpserver):
        self.translation = Translation(DeliveryState.TRANSLATED)
        self.url = httpserver.url_for("/")
        self._cli = cli
        for key in ("acme", "woo"):
            httpserver.expect_request(f"/webhooks/{key}", method="POST").respond_with_handler(self._store)

    def _store(self, request):
        shop = self._cli.joint.directory.shops[request.path.rpartition("/")[2]]
        platform = PLATFORMS[shop.platform]
        headers = {name.lower(): value for name, value in request.headers.items()}
        platform.verify(request.get_data(), headers, shop.secrets)
        identity = platform.identify(request.get_data(), headers, shop)
        new = new_delivery(
            shop=shop.key, topic=identity.topic, dedupe=identity.dedupe, delivery_id=identity.delivery_id
        )
        recorded = self._cli.store.deliveries.record(new, self.translation)
        return Response(f'{{"status":"{"repeated" if recorded.repeated else "stored"}"}}')


@pytest.fixture
def relay(cli, httpserver):
    return StubRelay(cli, httpserver)


def holdings(httpserver, *contacts):
    """Let the stub answer as the simulator too."""
    state = {"contacts": list(contacts), "catalogs": [], "jobs": [], "deleted": []}
    httpserver.expect_request("/_sandbox/state").respond_with_json({"accounts": {"client-of-main": state}})


def sandboxed(cli, httpserver):
    """Let the groups send to the stub, as the simulator of this configuration."""
    cli.joint.given = replace(cli.joint.given, sandbox_bind=Address("127.0.0.1", httpserver.port))
    endpoint = httpserver.url_for("").rstrip("/")
    groups = {key: replace(each, endpoint=endpoint) for key, each in a_directory().groups.items()}
    cli.joint.directory = replace(a_directory(), groups=groups)


def test_list_tells_topic_and_part_in_the_demo(cli):
    rows = {row[1]: row for row in cli.rows("samples", "list")}
    name = "orders_create__three-lines-2025"
    assert rows[name] == ["shopify", name, "orders/create", "yes"]
    assert rows["order_created__v1"][2:] == ["order.created", "no"]
    assert sum(row["demo"] for row in cli.json("samples", "list")) == 2 * DEMO_LIFE


def test_send_posts_the_life_of_every_shop_and_tells_each_answer(cli, relay):
    rows = cli.rows("samples", "send", "--to", relay.url)[: 2 * DEMO_LIFE]
    assert [row[0] for row in rows] == ["acme"] * DEMO_LIFE + ["woo"] * DEMO_LIFE
    assert rows[2] == ["acme", "orders/create", "three-lines-2025", "200", "stored", "nothing", "new", "to", "send"]
    assert len(cli.store.reading.deliveries()) == 2 * DEMO_LIFE


def test_send_can_be_for_one_shop(cli, relay):
    document = cli.json("samples", "send", "woo", "--to", relay.url)
    assert {delivery["shop"] for delivery in document["deliveries"]} == {"woo"}
    first = document["deliveries"][0]
    assert (first["topic"], first["sample"]) == ("product.created", "product_created__simple-on-sale-v3")
    assert (first["status"], first["answer"], first["id"], first["state"], first["commands"]) == (
        200,
        "stored",
        1,
        "translated",
        [],
    )
    assert (document["mode"], document["through"]) == ("again", True)


@pytest.mark.parametrize(
    ("options", "answers"), [((), {"stored"}), (("--fresh",), {"stored"}), (("--as-is",), {"repeated"})]
)
def test_a_second_run_repeats_only_as_it_is(cli, relay, options, answers):
    cli.json("samples", "send", "acme", "--to", relay.url, *options)
    document = cli.json("samples", "send", "acme", "--to", relay.url, *options)
    assert {delivery["answer"] for delivery in document["deliveries"]} == answers


def test_commands_of_each_delivery_are_told_without_their_payload(cli, relay):
    relay.translation = translated(put(contactExtEventType="PURCHASE"))
    arguments = ("samples", "send", "acme", "--to", relay.url, "--as-is", "--wait", "0")
    cli.json(*arguments)
    end(cli.store, Verdict.DEAD, message="No")
    first = cli.json(*arguments)["deliveries"][0]
    (command,) = first["commands"]
    assert (first["answer"], command["state"], command["last_error"]) == ("repeated", "dead", "No")
    assert "payload" not in command
    assert "event.put PURCHASE dead (No)" in cli.lines(*arguments)[1]


def test_what_salesmanago_received_is_shown(cli, relay, httpserver):
    sandboxed(cli, httpserver)
    card = {
        "contact_id": "1",
        "email": "hanna@example.com",
        "opted_out": False,
        "fields": {"name": "Hanna"},
        "tags": {},
        "events": [{"event_id": "2", "contactExtEventType": "PURCHASE", "date": 1790000000000, "value": 9.5}],
    }
    holdings(httpserver, card)
    lines = cli.lines("samples", "send", "acme", "--to", relay.url)
    at = lines.index("SALESmanago holds for group main (+ new, * changed, = as before):")
    assert lines[at + 2].split() == ["=", "hanna@example.com", "Hanna", "opted", "in", "-"]
    assert lines[at + 3].split() == ["=", "PURCHASE", "2026-09-21T14:13:20Z", "9.5", "-", "-"]
    document = cli.json("samples", "send", "acme", "--to", relay.url)
    assert [contact["email"] for contact in document["salesmanago"]["main"]["contacts"]] == ["hanna@example.com"]


def test_simulator_that_does_not_answer_is_told(cli, relay, httpserver):
    sandboxed(cli, httpserver)
    httpserver.expect_request("/_sandbox/state").respond_with_data("", status=500)
    assert "The simulator does not tell what it holds" in cli.lines("samples", "send", "acme", "--to", relay.url)[-1]
    assert cli.json("samples", "send", "acme", "--to", relay.url)["salesmanago"] == {"main": None}


def test_an_account_that_is_not_the_simulators_is_not_asked(cli, relay):
    cli.joint.given = replace(cli.joint.given, sandbox_bind=Address("127.0.0.1", 9))
    assert cli.json("samples", "send", "acme", "--to", relay.url)["salesmanago"] == {}


def test_refusals_are_shown_and_fail(cli, httpserver):
    answer = {"success": False, "messages": ["The signature is missing."]}
    httpserver.expect_request("/webhooks/acme").respond_with_json(answer, status=401)
    result = cli.run("samples", "send", "acme", "--to", httpserver.url_for(""))
    assert result.exit_code == 1
    assert result.stdout.splitlines()[1].split()[3:] == ["401", "The", "signature", "is", "missing.", "-"]


def test_relay_with_another_store_is_told(cli, httpserver):
    httpserver.expect_request("/webhooks/acme").respond_with_json({"status": "stored"})
    lines = cli.lines("samples", "send", "acme", "--to", httpserver.url_for(""))
    assert lines[1].endswith("not in this store")


def test_what_is_not_through_in_time_is_told(cli, httpserver):
    def store(request):
        headers = {name.lower(): value for name, value in request.headers.items()}
        cli.store.deliveries.record(new_delivery(delivery_id=headers["x-shopify-webhook-id"]))
        return Response('{"status":"stored"}')

    httpserver.expect_request("/webhooks/acme").respond_with_handler(store)
    arguments = ("samples", "send", "acme", "--to", httpserver.url_for(""), "--wait", "0")
    assert any("Not everything is through yet" in line for line in cli.lines(*arguments))
    assert cli.json(*arguments)["through"] is False


def test_nothing_listens_there(cli):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    cli.joint.given = replace(cli.joint.given, bind=Address("127.0.0.1", port))
    told = cli.error("samples", "send", "acme")
    assert told == f"Nothing listens at http://127.0.0.1:{port}; start it with `make run`."


@pytest.mark.parametrize(
    ("bind", "url"),
    [
        (Address("127.0.0.1", 8000), "http://127.0.0.1:8000"),
        (Address("0.0.0.0", 8000), "http://127.0.0.1:8000"),
        (Address("::", 8000), "http://127.0.0.1:8000"),
        (Address("::1", 8000), "http://[::1]:8000"),
        (Address("relay", 8000), "http://relay:8000"),
    ],
)
def test_the_relay_is_looked_for_where_it_binds(bind, url):
    assert reachable(bind) == url


@pytest.fixture
def configured(cli, tmp_path):
    """The commands with a configuration file, whose second shop feeds a real account."""
    (tmp_path / "relay.toml").write_text("")
    cli.joint.given = replace(load_settings({}), sandbox_bind=Address("127.0.0.1", 9))
    groups = {"main": group("main"), "real": group("real", endpoint="https://app2.salesmanago.example")}
    shops = {
        "acme": shop("acme", "shopify"),
        "woo": shop("woo", "woocommerce", group="real"),
        "dry": shop("dry", "shopify", group="real", dry_run=True),
    }
    cli.joint.directory = replace(a_directory(), groups=groups, shops=shops)
    return cli


def test_beside_a_configuration_the_shops_have_to_be_named(configured):
    assert configured.error("samples", "send") == "Name the shops to send for; there are: acme, dry, woo."
    assert configured.error("samples", "send", "amce") == 'There is no shop amce; did you mean "acme"?'


def test_invented_people_reach_a_real_account_only_when_told_to(configured, relay):
    assert "add --real" in configured.error("samples", "send", "acme", "woo", "--to", relay.url)
    assert configured.store.reading.deliveries() == []
    assert len(configured.json("samples", "send", "woo", "--real", "--to", relay.url)["deliveries"]) == DEMO_LIFE


def test_a_dry_run_reaches_nobody(configured, httpserver):
    httpserver.expect_request("/webhooks/dry").respond_with_json({"status": "stored"})
    assert configured.json("samples", "send", "dry", "--to", httpserver.url_for(""))["salesmanago"] == {}


def test_missing_samples_are_told(cli, monkeypatch, tmp_path):
    monkeypatch.setattr("cli.sending.demo_life", lambda platform: (_ for _ in ()).throw(LookupError("None here.")))
    assert cli.error("samples", "send", "acme") == "None here."


def test_list_without_any_sample_says_where_to_run_it(cli, monkeypatch):
    monkeypatch.setattr("cli.samples.samples_of", lambda platform: [])
    assert "run this in the project's folder" in cli.error("samples", "list")
