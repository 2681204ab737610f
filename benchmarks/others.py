"""The same load against what a shop might run instead: Debian's ``webhook``, and Node-RED.

    python -m benchmarks.others [--rounds 3] [--seconds 5] [--connections 32] [--node-red FOLDER]

Neither keeps what it answered: ``webhook`` checks the signature and starts a program for each delivery (here one that
does nothing), Node-RED's flow parses the body and answers, without a check. A relay's acknowledgement is on disk.
Node-RED is the one in FOLDER/node_modules, or is installed by npm into a folder that goes afterwards; without npm it is
left out.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.bodies import SECRET, SHOP, order
from benchmarks.databases import database
from benchmarks.loading import Load, wrk
from benchmarks.machine import machine, spread, table
from benchmarks.serving import Serving, scratch, serving, started
from tests.support.road import free_port

_PATH = f"/webhooks/{SHOP}"
_HOOK = {
    "id": SHOP,
    "execute-command": "/bin/true",
    "trigger-rule": {
        "match": {
            "type": "payload-hmac-sha256",
            "secret": SECRET,
            "parameter": {"source": "header", "name": "X-Hub-Signature-256"},
        }
    },
}
_FLOW = [
    {"id": "tab", "type": "tab", "label": "bench"},
    {"id": "in", "z": "tab", "type": "http in", "url": _PATH, "method": "post", "wires": [["out"]]},
    {"id": "out", "z": "tab", "type": "http response", "statusCode": "200", "wires": []},
]
_SETTINGS = 'module.exports = {uiHost: "127.0.0.1", httpAdminRoot: false, logging: {console: {level: "warn"}}};\n'
_WARM_S = 2


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--node-red", type=Path, help="a folder in which npm has installed node-red")
    given = parser.parse_args()
    print(f"{machine()}; wrk on the same machine, {given.connections} connections, {len(order(1).body):,} bytes")
    print(f"min / median / max of {given.rounds} rounds of {given.seconds} s\n")
    loads: dict[str, list[Load]] = {}
    with scratch() as folder:
        red = _node_red(given.node_red or folder / "npm")
        for number in range(given.rounds):
            for name, load in _round(given, folder / str(number), red).items():
                loads.setdefault(name, []).append(load)
                print(f"  {name}: {load.per_second:,.0f} a second, {load.errors} errors", file=sys.stderr)
    lines = [
        [
            name,
            spread([each.per_second for each in all_of]),
            spread([each.p50_ms for each in all_of], 1),
            spread([each.p99_ms for each in all_of], 1),
            str(sum(each.errors for each in all_of)),
        ]
        for name, all_of in loads.items()
    ]
    print(table(["server", "answers a second", "p50 ms", "p99 ms", "errors"], lines))


def _round(given: argparse.Namespace, folder: Path, red: Path | None) -> dict[str, Load]:
    def load(server: Serving) -> Load:
        wrk(server, order(1), given.connections, _WARM_S, _PATH, hex_too=True)
        return wrk(server, order(1), given.connections, given.seconds, _PATH, hex_too=True)

    loads = {}
    with (
        database(None, folder / "relay") as url,
        serving("app:app", folder / "relay", database_url=url) as server,
    ):
        loads["this relay, on disk"] = load(server)
    with serving("benchmarks.bare_app:app", folder / "bare") as server:
        loads["gunicorn and Flask, checked, not kept"] = load(server)
    if shutil.which("webhook"):
        with _debian_webhook(folder / "webhook") as server:
            loads["Debian's webhook, checked, not kept"] = load(server)
    if red is not None:
        with _red(folder / "node-red", red) as server:
            loads["Node-RED, neither checked nor kept"] = load(server)
    return loads


@contextmanager
def _debian_webhook(folder: Path) -> Iterator[Serving]:
    folder.mkdir(parents=True)
    hooks, port = folder / "hooks.json", free_port()
    hooks.write_text(json.dumps([_HOOK]), encoding="utf-8")
    command = ["webhook", "-ip", "127.0.0.1", "-port", str(port), "-urlprefix", "webhooks", "-hooks", str(hooks)]
    with _other(command, folder, port) as server:
        yield server


@contextmanager
def _red(folder: Path, program: Path) -> Iterator[Serving]:
    folder.mkdir(parents=True)
    port = free_port()
    (folder / "settings.js").write_text(_SETTINGS, encoding="utf-8")
    (folder / "flows.json").write_text(json.dumps(_FLOW), encoding="utf-8")
    own = ["-u", str(folder), "-s", str(folder / "settings.js"), "-p", str(port), str(folder / "flows.json")]
    with _other(["node", str(program), *own], folder, port) as server:
        yield server


@contextmanager
def _other(command: list[str], folder: Path, port: int) -> Iterator[Serving]:
    url, environment = f"http://127.0.0.1:{port}", dict(os.environ)
    with started(command, folder, url, environment) as process:
        yield Serving(url, folder, process, environment, "")


def _node_red(folder: Path) -> Path | None:
    """Find Node-RED in a folder, or install it there."""
    program = folder / "node_modules" / "node-red" / "red.js"
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(OSError):
            command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), "node-red"]
            subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    if not program.exists():
        print("Node-RED could not be installed and is left out.", file=sys.stderr)
        return None
    return program


if __name__ == "__main__":
    main()
