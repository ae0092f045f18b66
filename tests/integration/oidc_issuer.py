"""A small OpenID Connect provider on loopback with RSA keys of its own. It checks what a client has to send, and fails in
the ways that a test asks for."""

import base64
import hashlib
import http.server
import json
import secrets
import subprocess
import threading
import time
import urllib.parse


def base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Key:
    """An RSA key, made and used by the openssl program."""

    def __init__(self, folder, name):
        self.kid = name
        self.file = folder / f"{name}.pem"
        subprocess.run(["openssl", "genrsa", "-out", str(self.file), "2048"], check=True, capture_output=True)
        modulus = subprocess.run(["openssl", "rsa", "-in", str(self.file), "-noout", "-modulus"], check=True,
                                 capture_output=True, text=True).stdout.strip().partition("=")[2]
        self.jwk = {"kid": name, "kty": "RSA", "use": "sig", "alg": "RS256", "n": base64url(bytes.fromhex(modulus)),
                    "e": base64url(b"\x01\x00\x01")}

    def sign(self, claims, kid=None):
        header = {"alg": "RS256", "typ": "JWT", "kid": kid or self.kid}
        text = ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", str(self.file)], input=text.encode(),
                                   check=True, capture_output=True).stdout
        return f"{text}.{base64url(signature)}"


class Issuer:
    def __init__(self, folder, client_id="tokenrail-web", client_secret=None, name="issuer"):
        self.client_id, self.client_secret = client_id, client_secret
        self.key = Key(folder, name)
        self.reset()
        self.token_requests = []
        self.codes = {}
        self.released = threading.Event()
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def reply(self, status, document=None, location=None):
                body = json.dumps(document or {}).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                if location:
                    self.send_header("Location", location)
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                path, _, query = self.path.partition("?")
                if path == "/.well-known/openid-configuration":
                    self.reply(200, issuer.discovery())
                elif path == "/jwks":
                    self.reply(200, {"keys": [issuer.key.jwk]})
                elif path == "/authorize":
                    self.reply(303, location=issuer.authorize(dict(urllib.parse.parse_qsl(query))))
                elif path == "/logout":
                    self.reply(303, location=dict(urllib.parse.parse_qsl(query))["post_logout_redirect_uri"])
                else:
                    self.reply(404)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                try:
                    self.reply(*issuer.token(dict(urllib.parse.parse_qsl(body)), self.headers.get("Authorization")))
                except OSError:
                    pass  # the client did not wait

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def reset(self):
        """An honest provider with one user."""
        self.user = {"sub": "u-1", "name": "Änna", "groups": []}
        self.denies = None       # the error that the browser brings back
        self.token_status = 200  # of the token endpoint
        self.is_slow = False     # the token endpoint does not answer
        self.signs_with = None   # a key that is not the published one
        self.claims = {}         # what the ID token has instead

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    def discovery(self):
        return {"issuer": self.url, "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token", "jwks_uri": f"{self.url}/jwks",
                "end_session_endpoint": f"{self.url}/logout", "code_challenge_methods_supported": ["S256"]}

    def authorize(self, asked):
        """Where the user's browser goes after the login page: as if the user had typed a password there."""
        assert asked["client_id"] == self.client_id and asked["response_type"] == "code", asked
        assert "openid" in asked["scope"].split() and asked["code_challenge_method"] == "S256", asked
        answer = {"state": asked["state"], "session_state": "x", "iss": self.url}
        if self.denies:
            answer |= {"error": self.denies, "error_description": "not today"}
        else:
            answer["code"] = secrets.token_urlsafe(16)
            self.codes[answer["code"]] = asked
        return asked["redirect_uri"] + "?" + urllib.parse.urlencode(answer)

    def token(self, sent, authorization):
        self.token_requests.append(sent)
        if self.is_slow:
            self.released.wait(60)
        if self.token_status != 200:
            return self.token_status, {"error": "server_error"}
        if self.client_secret:
            pair = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
            if authorization != f"Basic {pair}":
                return 401, {"error": "invalid_client"}
        elif sent.get("client_id") != self.client_id:
            return 401, {"error": "invalid_client"}
        asked = self.codes.pop(sent.get("code"), None)
        if asked is None or sent.get("redirect_uri") != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant", "error_description": "the code is not known"}
        challenge = base64url(hashlib.sha256(sent.get("code_verifier", "").encode()).digest())
        if challenge != asked["code_challenge"]:
            return 400, {"error": "invalid_grant", "error_description": "the verifier does not fit"}
        now = int(time.time())
        claims = {"iss": self.url, "aud": self.client_id, "iat": now, "exp": now + 300, "nonce": asked["nonce"],
                  **self.user, **self.claims}
        key = self.signs_with or self.key
        return 200, {"access_token": "at-" + secrets.token_hex(8), "token_type": "Bearer",
                     "id_token": key.sign(claims, self.key.kid)}
