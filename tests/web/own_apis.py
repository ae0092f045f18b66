"""APIs that one browser test has for itself, on the stack of all. Tests ask for them through a small HTTP server on loopback:

    POST /apis              {"oidc": {"org": ORG}} or {}: starts one; {"id", "url", "issuer"} is the answer
    POST /apis/ID/stop      ends its process
    POST /apis/ID/start     starts it again at the same address
    POST /apis/ID/issuer    {"denies": …}: what the provider of its logins does from now on
    POST /apis/ID/end       ends all of it

With "oidc" people log in at a provider of this API's own, whose one user is an admin of models in ORG."""

import http.server
import json
import threading

from oidc_issuer import Issuer
from stack import Process, free_port

GROUP = "ml-team"


class OwnApi:
    def __init__(self, stack, name, oidc):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.environment = {"TOKENRAIL_API_LISTEN": f"127.0.0.1:{port}"}
        self.issuer = None
        self.stack = stack
        if oidc:
            self.issuer = Issuer(stack.folder, name=name)
            self.issuer.user["groups"] = [GROUP]
            self.environment |= {
                "TOKENRAIL_AUTH_MODE": "jwt", "TOKENRAIL_AUTH_ISSUER": self.issuer.url,
                "TOKENRAIL_AUTH_JWKS_URL": self.issuer.url + "/jwks",
                "TOKENRAIL_AUTH_OIDC_CLIENT_ID": self.issuer.client_id,
                "TOKENRAIL_AUTH_OIDC_GROUP_ROLES": f"{GROUP}={oidc['org']}:model_admin"}
        self.process = None
        self.start()

    def start(self):
        self.process = self.stack.api(**self.environment)
        self.process.wait_ready()

    def stop(self):
        # Without a judgement on the turns of its loop: other tests are about those.
        Process.stop(self.process)

    def end(self):
        self.process.kill()
        if self.issuer:
            self.issuer.close()


class OwnApis:
    """The server. One call after the other: each waits for what it asked for."""

    def __init__(self, stack):
        self.stack = stack
        self.apis = {}
        own = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or "{}")
                try:
                    status, document = 200, own.answer(self.path.strip("/").split("/"), body)
                except Exception as error:  # the test that asked fails with its text
                    status, document = 500, {"error": f"{type(error).__name__}: {error}"}
                text = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, path, body):
        if path == ["apis"]:
            name = f"own{len(self.apis)}"
            api = self.apis[name] = OwnApi(self.stack, name, body.get("oidc"))
            return {"id": name, "url": api.url, "issuer": api.issuer and api.issuer.url}
        _, name, action = path
        api = self.apis[name]
        if action == "issuer":
            vars(api.issuer).update(body)
        else:
            {"stop": api.stop, "start": api.start, "end": api.end}[action]()
        return {}

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        for api in self.apis.values():
            api.end()
