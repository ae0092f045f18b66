"""The web page as the registry API serves it, and the sessions of its users, on a real PostgreSQL."""

import gzip
import http.client
import json
import urllib.parse

import pytest

from test_registry_api import World


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("web")
    (folder / "assets").mkdir()
    (folder / "index.html").write_text("<!doctype html><title>Tokenrail</title>")
    (folder / "assets" / "app-1a2b.js").write_text("console.log(1)")
    (folder / "assets" / "app-1a2b.js.gz").write_bytes(gzip.compress(b"console.log(1)"))
    return folder


@pytest.fixture(scope="module")
def world(make_shared_stack, tmp_path_factory, folder):
    return World(make_shared_stack(settings={"TOKENRAIL_API_WEB_DIR": str(folder)}), tmp_path_factory.mktemp("api"))


class Browser:
    """Keeps cookies as a browser does, and sends what its page sends."""

    def __init__(self, url):
        self.address = urllib.parse.urlsplit(url).netloc
        self.origin = f"http://{self.address}"
        self.cookie = None
        self.csrf = None

    def call(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection(self.address, timeout=30)
        try:
            send = {name.replace("_", "-"): value for name, value in headers.items() if value is not None}
            if self.cookie:
                send["Cookie"] = self.cookie
            if method != "GET":
                send.setdefault("Origin", self.origin)
            if body is not None:
                send["Content-Type"] = "application/json"
            connection.request(method, path, json.dumps(body) if body is not None else None, send)
            answer = connection.getresponse()
            content = answer.read()
            if "Set-Cookie" in answer.headers:
                self.cookie = answer.headers["Set-Cookie"].split(";")[0]
            if "json" in answer.headers.get("Content-Type", ""):
                content = json.loads(content)
            return answer.status, content, answer.headers
        finally:
            connection.close()


def test_page_is_served_with_its_policy(world):
    browser = Browser(world.url)
    status, _, headers = browser.call("GET", "/")
    assert (status, headers["Location"]) == (302, "/ui/")
    status, page, headers = browser.call("GET", "/ui/orgs/acme/models", Accept="text/html")
    assert status == 200 and b"<title>Tokenrail</title>" in page
    assert headers["Cache-Control"] == "no-cache" and "script-src 'self'" in headers["Content-Security-Policy"]
    status, script, headers = browser.call("GET", "/ui/assets/app-1a2b.js", Accept_Encoding="gzip, br")
    assert status == 200 and gzip.decompress(script) == b"console.log(1)"
    assert "immutable" in headers["Cache-Control"]
    status, nothing, _ = browser.call("GET", "/ui/assets/app-1a2b.js", Accept_Encoding="gzip",
                                      If_None_Match=headers["ETag"])
    assert (status, nothing) == (304, b"")
    status, problem, _ = browser.call("GET", "/ui/assets/%2e%2e/%2e%2e/%2e%2e/etc/passwd")
    assert (status, problem["code"]) == (404, "NOT_FOUND")
