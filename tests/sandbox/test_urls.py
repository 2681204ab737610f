from __future__ import annotations

import pytest

from sandbox.urls import is_url


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example",
        "https://shop.example/",
        "http://shop.example/a/b_c-d.html?x=1&y=%20#top",
        "https://user.shop.example:8443/p",
        "https://192.0.2.7/p",
        "https://shop.example/p?next=https://other.example//x",
        "https://shop.example/caf%C3%A9",
        "HTTPS://SHOP.EXAMPLE/p",
    ],
)
def test_good_urls_are_taken(url: str) -> None:
    assert is_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop.example/p",
        "//shop.example/p",
        "gopher://shop.example/p",
        "https://",
        "https://localhost/p",
        "https://shop.example//p",
        "https://shop.example/a//b",
        "https://shop.example/a b",
        "https://shop.example/café",
        "https://shop_example.com/p",
        "https://shop.example:port/p",
        "https://[shop/p",
        "https://shop.example/p?a=b c",
        'https://shop.example/"p"',
    ],
)
def test_other_urls_are_not(url: str) -> None:
    assert not is_url(url)
