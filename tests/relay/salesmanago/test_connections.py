"""How an endpoint is reached: what the environment says counts as it was when the first call was made."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from requests.adapters import HTTPAdapter

from relay.errors import Unreachable
from relay.salesmanago.transport import Transport

ELSEWHERE = "app9.salesmanago.example"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "requests_ca_bundle", "curl_ca_bundle", "netrc"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def transport() -> Iterator[Transport]:
    made = Transport(connect_timeout_s=1, read_timeout_s=1, pool_size=4, user_agent="relay-test/1")
    yield made
    made.close()


@pytest.fixture
def dead_end() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_calls_go_through_the_proxy_of_the_environment(
    transport: Transport, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", httpserver.url_for(""))
    httpserver.expect_request("/api").respond_with_data("{}")
    for _ in range(2):
        assert transport.post(f"http://{ELSEWHERE}", "/api", {}, {"a": 1}).status == 200
    assert [request.host for request, _ in httpserver.log] == [ELSEWHERE] * 2
    assert httpserver.log[0][0].environ["REQUEST_URI"] == f"http://{ELSEWHERE}/api"


def test_https_is_tunnelled_through_the_proxy(transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse() -> None:
            connection, _ = listener.accept()
            with connection:
                asked.extend(connection.recv(65536).split()[:2])
                connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=refuse)
        thread.start()
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{listener.getsockname()[1]}")
        with pytest.raises(Unreachable):
            transport.post(f"https://{ELSEWHERE}", "/api", {}, {})
        thread.join(5)
    assert asked == [b"CONNECT", f"{ELSEWHERE}:443".encode()]


def test_hosts_that_need_no_proxy_are_called_directly(
    transport: Transport, httpserver: HTTPServer, dead_end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", dead_end)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    httpserver.expect_request("/api").respond_with_data("{}")
    assert transport.post(httpserver.url_for(""), "/api", {}, {}).status == 200


def test_proxy_that_is_not_there_is_met(
    transport: Transport, httpserver: HTTPServer, dead_end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", dead_end)
    with pytest.raises(Unreachable):
        transport.post(httpserver.url_for(""), "/api", {}, {})


def test_environment_is_asked_once(
    transport: Transport, httpserver: HTTPServer, dead_end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    httpserver.expect_request("/api").respond_with_data("{}")
    transport.post(httpserver.url_for(""), "/api", {}, {})
    monkeypatch.setenv("HTTP_PROXY", dead_end)
    assert transport.post(httpserver.url_for(""), "/api", {}, {}).status == 200


def test_passwords_of_the_netrc_file_are_not_sent(
    transport: Transport, httpserver: HTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    httpserver.expect_request("/api").respond_with_data("{}")
    transport.post(httpserver.url_for(""), "/api", {}, {})
    assert "Authorization" not in httpserver.log[0][0].headers


def test_each_call_has_its_own_headers_and_length(transport: Transport, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api").respond_with_data("{}")
    transport.post(httpserver.url_for(""), "/api", {"X-First": "1", "Accept": "text/x-one"}, {"long": "x" * 100})
    transport.post(httpserver.url_for(""), "/api", {}, {})
    first, second = (request for request, _ in httpserver.log)
    assert (first.headers["X-First"], first.headers["Accept"], first.content_length) == ("1", "text/x-one", 111)
    assert ("X-First" in second.headers, second.headers["Accept"], second.content_length) == (False, "*/*", 2)


def test_endpoints_with_a_path_of_their_own_share_nothing_but_the_host(
    transport: Transport, httpserver: HTTPServer
) -> None:
    for name in ("one", "two"):
        httpserver.expect_request(f"/{name}/api").respond_with_data(name)
    for name in ("one", "two", "one"):
        assert transport.post(httpserver.url_for(f"/{name}/"), "/api", {}, {}).body == name.encode()


def test_head_and_body_are_sent_together(transport: Transport) -> None:
    came: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                for _ in range(2):
                    came.append(connection.recv(65536))
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

        thread = threading.Thread(target=answer)
        thread.start()
        endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"
        transport.post(endpoint, "/api", {}, {"a": 1})
        transport.get(endpoint, "/api", {})
        thread.join(5)
    assert came[0].startswith(b"POST /api ") and came[0].endswith(b'\r\n\r\n{"a":1}')
    assert came[1].startswith(b"GET /api ") and came[1].endswith(b"\r\n\r\n")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate of 127.0.0.1 with its key, in one file."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    key = path.with_name("key.pem")
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    try:
        subprocess.run(
            ["openssl", "req", "-x509", *curve, *subject, "-keyout", str(key), "-out", str(path)],
            check=True,
            capture_output=True,
        )
    except FileNotFoundError:
        pytest.skip("needs openssl")
    path.write_text(path.read_text() + key.read_text())
    return path


@pytest.fixture
def tls_server(certificate: Path) -> Iterator[HTTPServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with HTTPServer(host="127.0.0.1", ssl_context=context) as server:
        server.expect_request("/api").respond_with_data("{}")
        yield server


def test_unknown_certificate_is_not_trusted(transport: Transport, tls_server: HTTPServer) -> None:
    with pytest.raises(Unreachable, match="certificate is not trusted"):
        transport.post(tls_server.url_for(""), "/api", {}, {})


def test_certificates_of_the_environment_are_trusted(
    transport: Transport, tls_server: HTTPServer, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    checked: list[Any] = []
    check = HTTPAdapter.cert_verify

    def noted(self: HTTPAdapter, *given: Any) -> None:
        checked.append(given)
        check(self, *given)  # type: ignore[no-untyped-call]

    monkeypatch.setattr(HTTPAdapter, "cert_verify", noted)
    for _ in range(2):
        assert transport.post(tls_server.url_for(""), "/api", {}, {}).status == 200
    assert len(checked) == 1
