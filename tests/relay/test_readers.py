"""Readers of single values."""

from __future__ import annotations

import pytest

from relay.readers import Address, is_loopback, masked_url


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1"])
def test_hosts_of_this_machine_are_known(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", None, "0.0.0.0", "::", "10.0.0.1", "localhost.example", "127.0.0.1.example"])
def test_other_hosts_are_not_this_machine(host):
    assert not is_loopback(host)


def test_an_address_is_written_as_it_is_read():
    assert str(Address("127.0.0.1", 80)) == "127.0.0.1:80"
    assert Address("::1", 80).url == "http://[::1]:80"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://relay:hush@db.example/x", "postgresql://relay:***@db.example/x"),
        ("postgresql://relay:hu@s/h@db.example/x", "postgresql://relay:***@db.example/x"),
        ("postgresql:///x?user=relay&password=hush&host=db", "postgresql:///x?user=relay&password=***&host=db"),
        ("postgresql://relay@db.example/x", "postgresql://relay@db.example/x"),
        ("sqlite:////var/lib/relay.sqlite3", "sqlite:////var/lib/relay.sqlite3"),
        ("plain text", "plain text"),
    ],
)
def test_passwords_of_a_database_url_are_hidden(url, shown):
    assert masked_url(url) == shown
