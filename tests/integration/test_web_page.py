"""The web page as the registry API serves it, and the sessions of its users, on a real PostgreSQL."""

import gzip
import http.client
import json
import urllib.parse

import pytest

from registry_world import World


DASHBOARD = "https://grafana.example.org/d/tokenrail-use"


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
    return World(make_shared_stack(settings={"TOKENRAIL_API_WEB_DIR": str(folder), "TOKENRAIL_API_DASHBOARD_URL": DASHBOARD}),
                 tmp_path_factory.mktemp("api"))


class Browser:
    """Keeps cookies as a browser does, and sends what its page sends."""

    def __init__(self, url):
        self.url = url
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


def log_in(world, role="org_admin", org="acme", user="alice"):
    browser = Browser(world.url)
    status, session, headers = browser.call("POST", "/v1/session:dev", {"org": org, "role": role, "user": user})
    assert status == 200, session
    browser.csrf = session["csrfToken"]
    return browser, session, headers


def test_dev_login_begins_a_session(world):
    status, options, _ = Browser(world.url).call("GET", "/v1/session/options")
    assert status == 200 and (options["mode"], options["oidc"]) == ("dev", False) and "org_admin" in options["devRoles"]
    assert Browser(world.url).call("GET", "/v1/session")[0] == 401
    browser, session, headers = log_in(world)
    assert session["user"] == {"issuer": "tokenrail-dev", "subject": "alice", "name": "alice"}
    assert session["memberships"] == [{"org": "acme", "name": "Acme", "role": "org_admin", "denied": []}]
    assert session["platformAdmin"] is False and session["mode"] == "dev" and session["dashboardUrl"] == DASHBOARD
    cookie = headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Path=/" in cookie
    assert "Secure" not in cookie  # the page is on loopback over http
    assert browser.call("GET", "/v1/session")[1] == session

    status, problem, _ = browser.call("DELETE", "/v1/session")
    assert (status, problem["code"]) == (403, "CSRF_FAILED")
    status, _, headers = browser.call("DELETE", "/v1/session", X_CSRF_Token=browser.csrf)
    assert status == 204 and "Max-Age=0" in headers["Set-Cookie"]
    assert browser.call("GET", "/v1/session")[0] == 401


def copy_of(browser):
    """Another browser that was given the cookie."""
    copy = Browser(browser.url)
    copy.cookie, copy.csrf = browser.cookie, browser.csrf
    return copy


def expect_ended(browser, url=None):
    if url:
        browser = copy_of(browser)
        browser.address = urllib.parse.urlsplit(url).netloc
    status, problem, _ = browser.call("GET", "/v1/session")
    assert (status, problem["code"]) == (401, "UNAUTHENTICATED")


def test_log_out_ends_copies_of_the_cookie(world):
    browser, _, _ = log_in(world)
    other, _, _ = log_in(world)
    copy = copy_of(browser)
    assert copy.call("GET", "/v1/session")[0] == 200
    assert browser.call("DELETE", "/v1/session", X_CSRF_Token=browser.csrf)[0] == 204
    expect_ended(copy)
    status, problem, _ = copy.call("POST", "/v1/orgs/acme/models", {"provider": "ollama", "modelName": "x"},
                                   X_CSRF_Token=copy.csrf)
    assert (status, problem["code"]) == (401, "UNAUTHENTICATED")
    assert other.call("GET", "/v1/session")[0] == 200, "another session of the same user goes on"
    # Also for a server that was not asked before.
    process, url = world.start()
    expect_ended(copy, url)
    assert process.stop() == 0


def test_log_out_everywhere_ends_all_sessions_of_the_user(world):
    browsers = [log_in(world, user="carol")[0] for _ in range(3)]
    stranger, _, _ = log_in(world, user="dave")
    assert browsers[0].call("DELETE", "/v1/session?everywhere=true", X_CSRF_Token=browsers[0].csrf)[0] == 204
    for browser in browsers:
        expect_ended(copy_of(browser)) if browser.cookie else expect_ended(browser)
    assert stranger.call("GET", "/v1/session")[0] == 200
    again, _, _ = log_in(world, user="carol")
    assert again.call("GET", "/v1/session")[0] == 200, "a login afterwards begins a session as before"


def test_removal_of_a_member_ends_what_their_sessions_may_do_there(world):
    admin = world.api("acme", "org_admin")
    member = admin.ok("PUT", "/v1/orgs/acme/members",
                      {"issuer": "tokenrail-dev", "subject": "erin", "role": "model_admin"})
    browser, _, _ = log_in(world, role="viewer", user="erin")
    assert browser.call("GET", "/v1/session")[1]["memberships"][0]["role"] == "model_admin"
    admin.ok("DELETE", f"/v1/orgs/acme/members/{member['id']}", status=204)
    assert browser.call("GET", "/v1/session")[1]["memberships"] == [], "neither the row's role nor that of the login"
    assert browser.call("GET", "/v1/orgs/acme/models")[0] == 404
    again, _, _ = log_in(world, role="viewer", user="erin")
    assert again.call("GET", "/v1/orgs/acme/models")[0] == 200, "a new login has the roles that it is given"


def test_an_organisation_ends_no_session_of_a_stranger(world):
    stranger, _, _ = log_in(world, role="org_admin", org="beta", user="zoe")
    admin = world.api("acme", "org_admin")
    member = admin.ok("PUT", "/v1/orgs/acme/members", {"issuer": "tokenrail-dev", "subject": "zoe", "role": "viewer"})
    admin.ok("DELETE", f"/v1/orgs/acme/members/{member['id']}", status=204)
    assert stranger.call("GET", "/v1/session")[1]["memberships"][0] == {
        "org": "beta", "name": "Beta", "role": "org_admin", "denied": []}
    assert stranger.call("GET", "/v1/orgs/beta/members")[0] == 200


def test_an_organisation_shuts_no_platform_admin_out(world):
    admin = world.api("acme", "org_admin")
    admin.ok("PUT", "/v1/orgs/acme/members",
             {"issuer": "tokenrail-dev", "subject": "platform_admin@platform", "role": "viewer",
              "denied": ["org:models:read", "org:members:read", "org:members:write"]})
    (member,) = [m for m in world.root.ok("GET", "/v1/orgs/acme/members")["data"] if m["denied"]]
    world.root.ok("DELETE", f"/v1/orgs/acme/members/{member['id']}", status=204)


def test_changes_need_the_csrf_token_and_our_origin(world):
    browser, _, _ = log_in(world)
    body = {"provider": "ollama", "modelName": "by-browser"}
    models = "/v1/orgs/acme/models"
    for headers in ({}, {"X_CSRF_Token": "wrong"}, {"X_CSRF_Token": browser.csrf, "Origin": "https://evil.example"}):
        status, problem, _ = browser.call("POST", models, body, **headers)
        assert (status, problem["code"]) == (403, "CSRF_FAILED"), headers
    status, made, _ = browser.call("POST", models, body, X_CSRF_Token=browser.csrf)
    assert status == 201 and made["modelName"] == "by-browser"
    # The token of another session is as good as none.
    other, _, _ = log_in(world, user="bob")
    assert browser.call("POST", models, body, X_CSRF_Token=other.csrf)[0] == 403


def test_session_has_the_rights_of_its_role_only(world):
    browser, _, _ = log_in(world, role="viewer")
    status, problem, _ = browser.call("POST", "/v1/orgs/acme/models", {"provider": "ollama", "modelName": "x"},
                                      X_CSRF_Token=browser.csrf)
    assert (status, problem["code"]) == (403, "FORBIDDEN")
    assert browser.call("GET", "/v1/orgs/beta/models")[0] == 404
    admin, session, _ = log_in(world, role="platform_admin", org="")
    assert session["platformAdmin"] and session["memberships"] == []
    assert admin.call("GET", "/v1/orgs")[1]["total_size"] >= 2


def test_dev_login_is_refused_to_other_sites(world):
    body = {"org": "acme", "role": "org_admin", "user": "mallory"}
    for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example", "Origin": "http://evil.example"}):
        status, problem, answered = Browser(world.url).call("POST", "/v1/session:dev", body, **headers)
        assert (status, problem["code"]) == (403, "CSRF_FAILED") and "Set-Cookie" not in answered
    status, problem, _ = Browser(world.url).call("POST", "/v1/session:dev", {**body, "org": "nowhere"})
    assert (status, problem["code"]) == (404, "NOT_FOUND") and "tokenrail org create" in problem["hint"]
    status, problem, _ = Browser(world.url).call("POST", "/v1/session:dev", {"role": "viewer", "user": "x"})
    assert status == 400 and problem["errors"][0]["pointer"] == "/org"


def test_session_outlives_the_process_that_began_it(world):
    browser, session, _ = log_in(world)
    _, url = world.start()
    second = Browser(url)
    second.cookie = browser.cookie
    assert second.call("GET", "/v1/session")[1] == session
    status, _, _ = second.call("POST", "/v1/orgs/acme/models", {"provider": "ollama", "modelName": "by-second"},
                               X_CSRF_Token=browser.csrf)
    assert status == 201


def test_cookie_is_secure_behind_https(world):
    _, url = world.start(TOKENRAIL_API_PUBLIC_URL="https://models.example.org")
    browser = Browser(url)
    status, _, headers = browser.call("POST", "/v1/session:dev", {"org": "acme", "role": "viewer", "user": "a"},
                                      Origin="https://models.example.org")
    assert status == 200
    assert headers["Set-Cookie"].startswith("__Host-tokenrail_session=") and headers["Set-Cookie"].endswith("; Secure")
    assert browser.call("GET", "/v1/session")[0] == 200
