"""A SALESmanago simulator: a small web app of its own for the demo and the tests. The product never needs it.

It answers SALESmanago's APIs v2 and v3 as they are documented, keeps what it was sent, shows it at ``/`` and can be
told to misbehave at ``/_sandbox/faults``. What is only guessed about SALESmanago can be switched at
``/_sandbox/switches``.
"""

from sandbox.accounts import SandboxAccount
from sandbox.app import create_app, state_of
from sandbox.server import SandboxServer, serve
from sandbox.state import State

__all__ = ["SandboxAccount", "SandboxServer", "State", "create_app", "serve", "state_of"]
