from __future__ import annotations

import os
import socket

import pytest

from tests.support.postgres import REQUIRE_VARIABLE, URL_VARIABLE


def test_no_test_leaves_this_machine():
    for address in ("192.0.2.1", "2001:db8::1", "shop.example"):
        with pytest.raises(Exception, match=f"may not connect to {address}"):
            socket.create_connection((address, 80), timeout=0.1)
    with socket.socket() as direct, pytest.raises(Exception, match="may not connect"):
        direct.connect_ex(("192.0.2.1", 80))


def test_this_machine_may_be_connected_to():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(("localhost", server.getsockname()[1]), timeout=5).close()


def test_no_setting_of_the_caller_reaches_the_tests():
    kept = {URL_VARIABLE, REQUIRE_VARIABLE, "RELAY_SHARED_SAMPLES"}
    assert {name for name in os.environ if name.startswith("RELAY_")} <= kept
