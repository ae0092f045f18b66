"""A connection with several keys: what the provider refuses one for is asked again with another one at once."""

import http.server
import json
import threading

from stack import Log

ANSWER = (b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":"yes"},"finish_reason":"stop"}]}\n\n'
          b"data: [DONE]\n\n")


class Provider(http.server.BaseHTTPRequestHandler):
    """Speaks OpenAI's API. Knows one key, is over the limit of another one, and refuses the rest."""

    protocol_version = "HTTP/1.1"
    keys = []  # of the chat calls, in their order

    def log_message(self, *arguments):
        pass

    def answer(self, status, body, kind, *headers):
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(200, b'{"object":"list","data":[{"id":"m","object":"model"}]}', "application/json")

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        key = self.headers["authorization"].removeprefix("Bearer ")
        Provider.keys.append(key)
        if key == "canary-good":
            self.answer(200, ANSWER, "text/event-stream")
        elif key == "canary-busy":
            self.answer(429, b'{"error":{"message":"slow down"}}', "application/json", ("retry-after", "60"))
        else:
            self.answer(401, b'{"error":{"message":"no such key"}}', "application/json")


def test_a_refused_key_is_replaced_at_once(make_stack):
    Provider.keys = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        stack = make_stack(settings={
            "OPENAI_COMPATIBLE_BASE_URL": f"http://127.0.0.1:{server.server_port}",
            "OPENAI_COMPATIBLE_API_KEY": "canary-revoked", "OPENAI_COMPATIBLE_API_KEY_2": "canary-busy",
            "OPENAI_COMPATIBLE_API_KEY_4": "canary-good", "TOKENRAIL_MODELS": "openai-compatible/m",
            "TOKENRAIL_SYNC_ON_NEW": "enabled"})
        router = stack.whole()[0].wait_ready()
        chunks, audit = Log(stack, "chat.chunks"), Log(stack, "llm.audit")
        for request in ("first", "second"):
            stack.ask(request, modelProvider="openai-compatible", modelName="m")
            stack.flush()
            chunks.wait("the answer", lambda values, r=request: any(c["requestId"] == r and c["done"] for c in values))
            end = next(c for c in chunks.values() if c["requestId"] == request and c["done"])
            assert end["finishReason"] == "stop", end
        assert Provider.keys == ["canary-revoked", "canary-busy", "canary-good", "canary-good"]

        def calls(values):
            return {v["requestId"]: v["calls"] for v in values if v["type"] == "llm.response"}
        audit.wait("both responses", lambda values: len(calls(values)) == 2)
        first = calls(audit.values())["first"]
        assert [(c["status"], c["key"]) for c in first] == [
            (401, "OPENAI_COMPATIBLE_API_KEY"), (429, "OPENAI_COMPATIBLE_API_KEY_2"),
            (200, "OPENAI_COMPATIBLE_API_KEY_4")]
        assert [c["key"] for c in calls(audit.values())["second"]] == ["OPENAI_COMPATIBLE_API_KEY_4"]
        for text in (router.text(), stack.processes[1].text(), json.dumps(audit.values()), json.dumps(chunks.values()),
                     router.metrics()):
            assert "canary-" not in text
    finally:
        server.shutdown()
        server.server_close()
