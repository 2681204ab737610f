# syntax=docker/dockerfile:1

# The environment is built where a compiler could be added without it ending up in the image that runs.
FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /venv
COPY requirements/runtime.txt /tmp/runtime.txt
RUN /venv/bin/pip install --require-hashes -r /tmp/runtime.txt

FROM python:3.11-slim
# A fixed number, so that a mounted volume can be given to it: chown 10001 /srv/relay-data
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin relay \
    && install --directory --owner relay --group relay /data
COPY --from=build /venv /venv
WORKDIR /app
COPY app.py gunicorn.conf.py ./
COPY cli cli
COPY handlers handlers
COPY schemas schemas
COPY relay relay
COPY mappings mappings
RUN python -m compileall -q /app

# The relay must listen to the container's network, which the demo refuses: mount a configuration at RELAY_CONFIG.
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    RELAY_BIND=0.0.0.0:8000 \
    RELAY_DATA=/data \
    RELAY_CONFIG=/etc/relay/relay.toml
USER relay
VOLUME /data
EXPOSE 8000

# Ready means: the store takes writes and a worker is alive, here or on another host.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=4 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]

# gunicorn stops in order on SIGTERM; give it more than a call to SALESmanago may take (docker run --stop-timeout 45).
CMD ["gunicorn", "app:app"]
