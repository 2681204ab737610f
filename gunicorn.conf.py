"""How gunicorn runs the relay: `gunicorn app:app` in this folder finds this file by itself.

What depends on the machine comes from RELAY_* variables (`flask --app app settings` lists them); the reasons for the
other values stand beside them. The hooks at the end start what belongs beside the web processes.
"""

import contextlib
import logging
import os
import shutil
import signal
import subprocess
import sys

from gunicorn.glogging import Logger

from handlers.context import EXTENSION
from relay.demo import next_steps
from relay.errors import ConfigurationError, StoreUnavailable
from relay.log import logging_config
from relay.settings import load_settings
from relay.worker.duty import duties
from relay.worker.supervisor import start_supervisor

try:
    _settings = load_settings(os.environ)
except ConfigurationError as error:
    sys.exit(f"The relay cannot start:\n{error}")

bind = str(_settings.bind)

# Webhooks are read and answered by the main thread, one after the other, and all that have come meanwhile share a
# commit; the threads are for REST calls, which wait, and for what is large or comes slowly.
worker_class = "handlers.serving.Worker"
workers = _settings.web_processes
threads = _settings.web_threads

# A connection costs no thread here, and to open one anew costs a tenth of an answer. Processes take about as many
# connections each (handlers/evenly.py), so this only has to stay below the usual limit of open files.
worker_connections = 512
backlog = 2048

# Idle connections count against that cap, so they are closed soon; a TLS proxy beside the relay opens new ones cheaply.
keepalive = 2

# The main thread of a process reports that it lives; this is no limit for requests, of which none takes as long.
timeout = 30
# What a process may take to answer its last requests: a commit is awaited for 3 s, a REST call for RELAY_API_WAIT_S.
graceful_timeout = int(_settings.api_wait_s) + 10

# The heartbeat file must not wait for a slow disk; a container's temporary folder may be one.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - gunicorn makes private files there

# Two services of one user would meet at its default path, and nobody here needs it.
control_socket_disable = True

# gunicorn's own bounds on the head of a request, stated here because they are part of the HTTP contract. Shops send
# heads of 1 to 2 KB. The body's bound is RELAY_MAX_BODY_BYTES; the application answers 413, in the form of its answers.
limit_request_line = 4094
limit_request_fields = 100
limit_request_field_size = 8190

# No peer is trusted here: werkzeug's ProxyFix reads X-Forwarded-* for exactly RELAY_TRUSTED_PROXIES hops, and two
# readers with two rules would let a client slip something past one of them.
forwarded_allow_ips = ""

loglevel = _settings.log_level
logconfig_dict = logging_config(_settings.log_level)


class logger_class(Logger):  # noqa: N801 - the setting's name
    """gunicorn's, which writes no line that the level leaves out: to gather what stands in one is a lot of work."""

    def access(self, resp, req, environ, request_time):
        """Log a request that has been answered."""
        if self.access_log.isEnabledFor(logging.INFO):
            super().access(resp, req, environ, request_time)


# The metrics of all processes add up through files in this folder; prometheus_client reads the variable when imported.
_metrics = _settings.data / "metrics"
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(_metrics)

os.environ.setdefault("FLASK_SKIP_DOTENV", "1")  # its hint about .env files would stand in every log
_FLASK = [sys.executable, "-m", "flask", "--app", "app"]
_TEND_S = 1.0
_TURN_S = 0.001


def on_starting(server):
    """Check the configuration and bring the store's tables up to date, before anything listens."""
    _settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)  # it holds what shops say about people
    shutil.rmtree(_metrics, ignore_errors=True)  # counters of the last run
    _metrics.mkdir()
    # A process of its own, so that nothing it opens (connections, locks, threads) is inherited by the web processes.
    if subprocess.run([*_FLASK, "prepare"], check=False).returncode != 0:  # noqa: S603 - our own program
        sys.exit(1)


def when_ready(server):
    """Start the worker (and, for the demo, the simulator) beside the web processes, and say what to do next."""
    shares = duties(_settings.worker_processes) if _settings.worker else []
    children = [[*_FLASK, "worker", f"--duty={duty.value}"] for duty in shares]
    children += [[*_FLASK, "sandbox"]] if _settings.demo else []
    if children:
        _tend_supervisor(server, children)
    if _settings.demo or sys.stdout.isatty():
        print("", *next_steps(_settings), "", sep="\n", flush=True)  # noqa: T201 - for the person at the terminal


def _tend_supervisor(server, children):
    """Start the supervisor, now and whenever it was killed.

    A timer's signal looks after it: a thread would be copied half alive into every web process, and a timer is not.
    """
    grace_s = _settings.send_timeout_s + 5  # a call to SALESmanago may still be waiting for its answer
    server.supervisor = start_supervisor(children, grace_s)

    def tend(_number, _frame):
        if server.supervisor.poll() is not None:
            server.supervisor = start_supervisor(children, grace_s)

    signal.signal(signal.SIGALRM, tend)
    signal.setitimer(signal.ITIMER_REAL, _TEND_S, _TEND_S)


def on_reload(server):
    """Restart the parts beside the web processes too, so that they read the changed configuration."""
    if supervisor := getattr(server, "supervisor", None):
        supervisor.terminate()  # the timer starts the next one once this one has ended


def on_exit(server):
    """End the supervisor and wait until it has taken its children along."""
    signal.setitimer(signal.ITIMER_REAL, 0)
    if supervisor := getattr(server, "supervisor", None):
        supervisor.terminate()
        supervisor.wait()


def post_fork(server, worker):
    """Let threads take turns more often than Python does by itself (5 ms).

    Whoever writes for all that wait together gives the interpreter away at each call of the database, and they, and the
    other processes, wait while he waits for his turn.
    """
    sys.setswitchinterval(_TURN_S)


def post_worker_init(worker):
    """Open the store before the first delivery comes, which would have to wait for it.

    What is wrong with the configuration was said at the start; what cannot be opened now, each request tries again.
    """
    extensions = getattr(worker.wsgi, "extensions", {})
    if EXTENSION in extensions:
        with contextlib.suppress(ConfigurationError, StoreUnavailable):
            extensions[EXTENSION].relay()


def child_exit(server, worker):
    """Forget the gauges and the connections of a web process that is gone; its counters stay."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)
    worker.shares.leave(worker.place)
