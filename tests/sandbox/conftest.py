from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox import create_app
from tests.support.sandbox import ACCOUNT, OTHER_ACCOUNT, SandboxClient


@pytest.fixture
def client() -> Iterator[SandboxClient]:
    client = SandboxClient(create_app([ACCOUNT, OTHER_ACCOUNT]))
    yield client
    client.state.close()
