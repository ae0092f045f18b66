"""People log in to the web page at an OpenID Connect provider: the registry API as a process, and a provider that is
honest or fails."""

import http.client
import http.cookies
import json
import threading
import time
import urllib.parse

import pytest

from oidc_issuer import Issuer, Key
from registry_world import World
from stack import wait_until

GROUPS = "ml=acme:model_admin,everyone=acme:viewer,everyone=beta:viewer,ops=platform_admin"
SECRET = "oidc-canary-secret"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("oidc")
    (folder / "web").mkdir()
    (folder / "web" / "index.html").write_text("<!doctype html><title>Tokenrail</title>")
    return folder


@pytest.fixture(scope="module")
def the_issuer(folder):
    issuer = Issuer(folder, client_secret=SECRET)
    yield issuer
    issuer.close()


@pytest.fixture
def issuer(the_issuer):
    the_issuer.reset()
    return the_issuer


@pytest.fixture(scope="module")
def world(make_shared_stack, folder, the_issuer):
    return World(make_shared_stack(settings={
        "TOKENRAIL_API_WEB_DIR": str(folder / "web"), "TOKENRAIL_AUTH_OIDC_ISSUER": the_issuer.url,
        "TOKENRAIL_AUTH_OIDC_CLIENT_ID": the_issuer.client_id, "TOKENRAIL_AUTH_OIDC_CLIENT_SECRET": SECRET,
        "TOKENRAIL_AUTH_OIDC_GROUP_ROLES": GROUPS}), folder)


class Browser:
    """Follows no redirect by itself, and keeps the cookies of one server."""

    def __init__(self, url):
        self.url = url
        self.cookies = {}
        self.set_cookies = []

    def get(self, url, method="GET", **headers):
        parts = urllib.parse.urlsplit(urllib.parse.urljoin(self.url, url))
        ours = f"http://{parts.netloc}" == self.url
        connection = http.client.HTTPConnection(parts.netloc, timeout=60)
        send = {name.replace("_", "-"): value for name, value in headers.items()}
        if ours and self.cookies:
            send["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        try:
            connection.request(method, parts.path + ("?" + parts.query if parts.query else ""), headers=send)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if ours:
            self.set_cookies = answer.headers.get_all("Set-Cookie") or []
            for line in self.set_cookies:
                for name, morsel in http.cookies.SimpleCookie(line).items():
                    self.cookies[name] = morsel.value
                    if morsel["max-age"] == "0":
                        del self.cookies[name]
        if "json" in (answer.headers.get("Content-Type") or "") and content:
            content = json.loads(content)
        return answer.status, content, answer.headers

    def go(self, url):
        """The address that a redirect leads to."""
        status, content, headers = self.get(url)
        assert status == 303, (status, content)
        return headers["Location"]

    def begin(self, return_to="/ui/orgs/acme/models?kind=chat"):
        """The address at the provider."""
        return self.go("/v1/session:login?returnTo=" + urllib.parse.quote(return_to, safe=""))

    def to_callback(self):
        return self.go(self.begin())

    def log_in(self):
        """Where the browser ends."""
        return self.go(self.to_callback())


def failure_of(location):
    parts = urllib.parse.urlsplit(location)
    assert (parts.scheme, parts.netloc) == ("", "") and parts.path.startswith("/ui/"), location
    return dict(urllib.parse.parse_qsl(parts.query)).get("loginError")


def expect_failure(browser, location, error):
    assert failure_of(location) == error
    assert browser.get("/v1/session")[0] == 401


def test_groups_of_the_provider_become_roles(world, issuer):
    issuer.user["groups"] = ["everyone", "ml", "unknown"]
    browser = Browser(world.url)
    assert browser.get("/v1/session/options")[1]["oidc"] is True
    location = browser.log_in()
    assert location == "/ui/orgs/acme/models?kind=chat"
    assert [c for c in browser.set_cookies if c.startswith("tokenrail_session=")][0].count("HttpOnly") == 1
    assert list(browser.cookies) == ["tokenrail_session"], "the attempt is forgotten"
    status, session, _ = browser.get("/v1/session")
    assert status == 200 and session["user"] == {"issuer": issuer.url, "subject": "u-1", "name": "Änna"}
    assert {m["org"]: m["role"] for m in session["memberships"]} == {"acme": "model_admin", "beta": "viewer"}
    assert session["platformAdmin"] is False
    assert browser.get("/v1/orgs/acme/models")[0] == 200

    issuer.user = {"sub": "u-2", "groups": "ops"}
    second = Browser(world.url)
    second.log_in()
    session = second.get("/v1/session")[1]
    assert session["platformAdmin"] is True and session["user"]["name"] == "u-2"


def test_verifier_is_sent_and_is_the_one_of_the_challenge(world, issuer):
    browser = Browser(world.url)
    asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(browser.begin()).query))
    assert asked["redirect_uri"] == world.url + "/v1/session/callback"
    browser.log_in()
    assert len(issuer.token_requests[-1]["code_verifier"]) >= 43
    # A code that was given for another attempt fits neither its verifier nor its nonce.
    stranger = Browser(world.url)
    code = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(stranger.to_callback()).query))["code"]
    victim = Browser(world.url)
    callback = urllib.parse.urlsplit(victim.to_callback())
    query = dict(urllib.parse.parse_qsl(callback.query)) | {"code": code}
    expect_failure(victim, victim.go(callback.path + "?" + urllib.parse.urlencode(query)), "refused")


def test_provider_that_denies_is_named(world, issuer):
    issuer.denies = "access_denied"
    browser = Browser(world.url)
    location = browser.log_in()
    expect_failure(browser, location, "denied")
    assert location == "/ui/orgs/acme/models?kind=chat&loginError=denied"
    issuer.denies = "temporarily_unavailable"
    expect_failure(browser, browser.log_in(), "unreachable")


@pytest.mark.parametrize("claims", [{"aud": "another-client"}, {"iss": "https://evil.example"}, {"exp": 1},
                                    {"nonce": "another"}, {"azp": "another-client"}, {"sub": ""}])
def test_token_that_does_not_hold_is_refused(world, issuer, claims):
    issuer.claims = claims
    browser = Browser(world.url)
    expect_failure(browser, browser.log_in(), "refused")


def test_token_of_another_key_is_refused(world, issuer, folder):
    issuer.signs_with = Key(folder, "another")
    browser = Browser(world.url)
    expect_failure(browser, browser.log_in(), "refused")


def test_token_of_another_provider_is_refused(world, issuer, folder):
    other = Issuer(folder, issuer.client_id, name="other")
    try:
        now = int(time.time())
        bearer = other.key.sign({"iss": other.url, "aud": issuer.client_id, "sub": "u-1", "exp": now + 60})
        assert Browser(world.url).get("/v1/session", Authorization=f"Bearer {bearer}")[0] == 401
        browser = Browser(world.url)
        callback = urllib.parse.urlsplit(browser.to_callback())
        query = dict(urllib.parse.parse_qsl(callback.query)) | {"iss": other.url}
        expect_failure(browser, browser.go(callback.path + "?" + urllib.parse.urlencode(query)), "refused")
    finally:
        other.close()


def test_attempt_belongs_to_its_browser_and_is_used_once(world, issuer):
    browser = Browser(world.url)
    callback = browser.to_callback()
    stranger = Browser(world.url)
    expect_failure(stranger, stranger.go(callback), "expired")
    wrong = callback.replace("state=", "state=x")
    expect_failure(browser, browser.go(wrong), "expired")
    copied = dict(browser.cookies)
    assert failure_of(browser.go(callback)) is None, "a stray request did not end it"
    del browser.cookies["tokenrail_session"]
    expect_failure(browser, browser.go(callback), "expired")
    # With a copy of the cookie the provider decides: the code was used.
    thief = Browser(world.url)
    thief.cookies = copied
    expect_failure(thief, thief.go(callback), "refused")


def test_login_leads_to_the_page_only(world, issuer):
    for wanted in ("https://evil.example/", "//evil.example", "/ui/../v1/orgs", "/v1/orgs"):
        browser = Browser(world.url)
        assert browser.go(browser.go(browser.begin(wanted))) == "/ui/", wanted


def test_failing_provider_is_named_and_blocks_nothing(world, issuer):
    browser = Browser(world.url)
    issuer.token_status = 503
    expect_failure(browser, browser.log_in(), "unreachable")
    issuer.token_status = 200
    issuer.is_slow = True
    slow = Browser(world.url)
    callback = slow.to_callback()
    ends = []
    thread = threading.Thread(target=lambda: ends.append(slow.go(callback)))
    asked = len(issuer.token_requests)
    thread.start()
    wait_until("the API asks for the token", lambda: len(issuer.token_requests) > asked)
    assert world.root.ok("GET", "/v1/orgs")["total_size"] >= 2, "others are served meanwhile"
    assert not ends
    thread.join()
    expect_failure(slow, ends[0], "unreachable")


def test_provider_that_is_away_at_the_start_is_asked_again(world, folder):
    gone = Issuer(folder, name="gone")
    gone.close()
    process, url = world.start(TOKENRAIL_AUTH_OIDC_ISSUER=gone.url)
    browser = Browser(url)
    expect_failure(browser, browser.go("/v1/session:login"), "unreachable")
    assert "people cannot log in" in process.readyz()[1]
    assert process.ready()


def test_logout_ends_at_the_provider_too(world, issuer):
    browser = Browser(world.url)
    browser.log_in()
    session = browser.get("/v1/session")[1]
    url = urllib.parse.urlsplit(session["logoutUrl"])
    assert f"{url.scheme}://{url.netloc}{url.path}" == issuer.url + "/logout"
    assert dict(urllib.parse.parse_qsl(url.query)) == {"client_id": issuer.client_id,
                                                       "post_logout_redirect_uri": world.url + "/ui/"}
    assert browser.get("/v1/session", "DELETE", X_CSRF_Token=session["csrfToken"])[0] == 204
    assert browser.get("/v1/session")[0] == 401


def test_public_client_sends_no_secret(world, folder):
    public = Issuer(folder, client_id="public", name="public")
    try:
        _, url = world.start(TOKENRAIL_AUTH_OIDC_ISSUER=public.url, TOKENRAIL_AUTH_OIDC_CLIENT_ID="public",
                             TOKENRAIL_AUTH_OIDC_CLIENT_SECRET="")
        browser = Browser(url)
        assert failure_of(browser.log_in()) is None
        assert "client_secret" not in public.token_requests[-1] and public.token_requests[-1]["client_id"] == "public"
    finally:
        public.close()


def test_log_holds_no_secret_of_a_login(world, issuer):
    browser = Browser(world.url)
    location = browser.to_callback()
    callback = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(location).query))
    assert failure_of(browser.go(location)) is None
    text = world.process.text()
    secrets = [SECRET, callback["code"], callback["state"], issuer.token_requests[-1]["code_verifier"],
               browser.cookies["tokenrail_session"]]
    assert "/v1/session/callback" in text and not [s for s in secrets if s in text]
