"""Waiting, bounded, for what other threads and processes do in their own time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import pytest

PATIENCE_S = 20.0

T = TypeVar("T")


def until(condition: Callable[[], T]) -> T:
    """Wait until the condition gives something true, and give it."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.02)
    pytest.fail("waited in vain")
