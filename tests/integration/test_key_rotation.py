"""The key of credentials is replaced while requests run: a new primary key in every process, credentials rewrapped, the
old key disabled. No request fails, neither of the router nor of the API.

TOKENRAIL_TEST_REQUESTS_PER_SECOND is how many chat requests are sent a second; the API gets a fifth of that. `./dev test
promises` sets what the promise names."""

import json
import os
import pathlib
import threading
import time

import pytest

from registry_world import Api
from stack import wait_until
from test_stored_credentials import FIRST, Provider, World, running_provider  # noqa: F401  (a fixture)

RATE = float(os.environ.get("TOKENRAIL_TEST_REQUESTS_PER_SECOND", "20"))
CREDENTIALS = 60
# What has to be asked and served after each step, before the next one begins.
REQUESTS_AFTER_A_STEP = 20


class Load:
    """Chat requests through a stored credential, and requests to the API that seal and open it, until `end`."""

    def __init__(self, world, api, rate):
        self.world, self.api = world, api
        self.turn = threading.Lock()  # of a request to the API, and of the change to another server
        self.asked, self.failed, self.served = [], [], 0
        credentials = api.ok("GET", "/v1/orgs/acme/credentials?page_size=200")["data"]
        self.credential = next(c["id"] for c in credentials if c["label"] == "main")
        connections = api.ok("GET", "/v1/orgs/acme/connections")["data"]
        self.connection = next(c["id"] for c in connections if c["name"] == "own")
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self.paced, args=(self.ask, 1 / rate)),
                        threading.Thread(target=self.paced, args=(self.call, 5 / rate))]
        for thread in self.threads:
            thread.start()

    def paced(self, step, seconds):
        """One step each `seconds`. A step that was late does not make the following ones late."""
        due = time.monotonic()
        while not self.stop.wait(max(0.0, due - time.monotonic())):
            due += seconds
            step()

    def ask(self):
        self.asked.append(f"asked-{len(self.asked)}")
        self.world.ask(self.asked[-1])

    def call(self):
        """In turn: lists credentials, seals the secret that the chat requests need, opens it for a test."""
        method, path, body = (
            ("GET", "/v1/orgs/acme/credentials", None),
            ("POST", f"/v1/orgs/acme/credentials/{self.credential}:replace", {"secret": FIRST}),
            ("POST", f"/v1/orgs/acme/connections/{self.connection}:test", None))[self.served % 3]
        try:
            with self.turn:
                status, answer, _ = self.api.call(method, path, body)
        except OSError as error:
            status, answer = 599, str(error)
        if status >= 400 or (path.endswith(":test") and answer["outcome"] != "ok"):
            self.failed.append((method, path, status, answer))
        self.served += 1

    def use(self, api):
        """As a load balancer does it: no request goes to the server before any more."""
        with self.turn:
            self.api = api

    def went_on(self):
        asked, served = len(self.asked) + REQUESTS_AFTER_A_STEP, self.served + REQUESTS_AFTER_A_STEP // 5
        wait_until("requests go on", lambda: len(self.asked) >= asked and self.served >= served)

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()


class Fleet:
    """A router and an API that share a key ring file, replaced one after the other while the load goes on."""

    def __init__(self, stack, ring, folder):
        self.stack = stack
        self.keys = {"TOKENRAIL_KEYRING_FILE": ring}
        self.dev = {"TOKENRAIL_AUTH_MODE": "dev", "TOKENRAIL_AUTH_DEV_KEY_FILE": str(folder / "dev.json")}
        self.router, self.server = self.new_router(), self.new_server()
        self.token = stack.cli("auth", "token", "--role", "org_admin", "--org", "acme", environment=self.dev).stdout.strip()

    def new_router(self):
        return self.stack.router(**self.keys).wait_ready()

    def new_server(self):
        return self.stack.api(**self.keys, **self.dev, TOKENRAIL_API_RATE_PER_SECOND="0").wait_ready()

    def api(self):
        return Api(f"http://127.0.0.1:{self.server.api_port()}", self.token)

    def restart(self, load):
        """What only opens first, so that it can open what the others seal. A new process before the old one ends."""
        before, self.router = self.router, self.new_router()
        assert before.stop() == 0
        load.went_on()
        before, self.server = self.server, self.new_server()
        load.use(self.api())
        assert before.stop() == 0
        load.went_on()


@pytest.mark.parametrize("steps", [("add", "promote"), ("rotate",)], ids=["in_two_steps", "at_once"])
def test_key_rotation_under_load_fails_no_request(make_stack, provider, tmp_path, steps):
    Provider.accepted, Provider.seen = {FIRST}, []
    stack = make_stack()
    world = World(stack, provider)
    stack.simulator()
    stack.sync().wait_ready()
    world.published()
    fleet = Fleet(stack, world.ring, tmp_path)
    for number in range(CREDENTIALS):
        fleet.api().ok("POST", "/v1/orgs/acme/credentials",
                       {"provider": "openai", "label": f"more-{number}", "secret": f"canary-{number}"}, 201)

    def keys(*arguments):
        return stack.cli("keys", *arguments, environment=fleet.keys).stdout

    def status():
        return {key["key"]: (key["state"], key["credentials"]) for key in map(json.loads, keys("status", "--json").splitlines())}

    (old,) = status()
    load = Load(world, fleet.api(), RATE)
    try:
        load.went_on()
        assert status() == {old: ("primary", CREDENTIALS + 1)}
        for step in steps:
            keys(step, *(["new"] if step == "promote" else ["--id", "new"]))
            load.went_on()
            fleet.restart(load)
        states = status()
        assert {key: state for key, (state, _) in states.items()} == {old: "decrypt", "new": "primary"}
        assert states[old][1] >= CREDENTIALS, "nothing but what the load replaced is under the new key yet"
        keys("rewrap")
        load.went_on()
        assert status() == {old: ("decrypt", 0), "new": ("primary", CREDENTIALS + 1)}
        world.published()
        keys("disable", old)
        # No credential needs the old key any more, so that it can leave the file too.
        ring = pathlib.Path(world.ring)
        ring.write_text(json.dumps({"keys": [key for key in json.loads(ring.read_text())["keys"] if key["id"] != old]}))
        fleet.restart(load)
        assert status() == {"new": ("primary", CREDENTIALS + 1)}
    finally:
        load.end()
    assert load.failed == []
    ends = world.ends(set(load.asked))
    assert [end for end in ends.values() if end["finishReason"] != "stop"] == []
    assert set(Provider.seen) == {FIRST}
    assert "cannot be opened" not in fleet.router.readyz()[1]
    for process in stack.processes:
        assert "canary-" not in process.text()
