"""A registry API as a process, with registry-sync and two organisations, and clients of it with tokens of dev mode."""

import base64
import json
import os
import secrets
import urllib.error
import urllib.parse
import urllib.request

from stack import wait_until


class Api:
    """A client of the API with one token."""

    def __init__(self, url, token=None):
        self.url, self.token = url, token

    def call(self, method, path, body=None, headers=None, raw=None):
        data = raw if raw is not None else json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.url + path, data=data, method=method)
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        if data is not None:
            request.add_header("Content-Type", "application/json")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        try:
            answer = urllib.request.urlopen(request, timeout=120)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            text = answer.read().decode()
            parsed = json.loads(text) if "json" in (answer.headers.get("Content-Type") or "") and text else text
            return answer.status, parsed, answer.headers

    def ok(self, method, path, body=None, status=200, headers=None):
        given, parsed, _ = self.call(method, path, body, headers)
        assert given == status, f"{method} {path}: {given} {parsed}"
        return parsed

    def refused(self, method, path, status, code, body=None, headers=None):
        given, parsed, head = self.call(method, path, body, headers)
        assert (given, parsed.get("code")) == (status, code), f"{method} {path}: {given} {parsed}"
        assert head["Content-Type"] == "application/problem+json"
        assert parsed["request_id"] == head["X-Request-Id"]
        return parsed


def name(model):
    return urllib.parse.quote(model, safe="")


def api_environment(folder):
    """Settings of an API in dev mode with a key ring of its own."""
    ring = folder / "keys.json"
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    ring.write_text(json.dumps({"keys": [{"id": "k1", "state": "primary", "key": key}]}))
    os.chmod(ring, 0o600)
    return {"TOKENRAIL_AUTH_MODE": "dev", "TOKENRAIL_AUTH_DEV_KEY_FILE": str(folder / "dev.json"),
            "TOKENRAIL_KEYRING_FILE": str(ring), "TOKENRAIL_API_LISTEN": "127.0.0.1:0",
            "TOKENRAIL_LOG_LEVEL": "debug", "TOKENRAIL_API_RATE_PER_SECOND": "0"}


class World:
    def __init__(self, stack, folder):
        self.stack = stack
        self.environment = api_environment(folder)
        self.simulator = stack.simulator()
        stack.sync().wait_ready()
        self.process, self.url = self.start()
        wait_until("the API has read the registry", lambda: "the registry is there" in self.process.text())
        self.root = self.api(None, "platform_admin")
        for org in ("acme", "beta"):
            self.root.ok("POST", "/v1/orgs", {"id": org, "displayName": org.title()}, 201)

    def start(self, **environment):
        process = self.stack.api(**{**self.environment, **environment})
        process.wait_ready()
        return process, f"http://127.0.0.1:{process.api_port()}"

    def api(self, org, role, url=None):
        arguments = ["--role", role] + (["--org", org] if org else []) + ["--subject", f"{role}@{org or 'platform'}"]
        token = self.stack.cli("auth", "token", *arguments, environment=self.environment).stdout.strip()
        return Api(url or self.url, token)


def a_model(api, **fields):
    model = "m-" + secrets.token_hex(4)
    made = api.ok("POST", "/v1/orgs/acme/models", {"provider": "ollama", "modelName": model, **fields}, 201)
    return made
