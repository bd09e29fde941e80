"""A server made of nothing but JSON, which says what no library would say: `bare.py legacy LOG` on stdin and
stdout, `bare.py modern LOG` on HTTP, where it prints its port. LOG gets each message of the client as a line.
"""

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FORM = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
PAGE = {"mode": "url", "message": "Please sign.", "url": "https://sign.example/one", "elicitationId": "e1"}
STATE = 'opaque "\u00fc" state\n'
TIMES = {"createdAt": "2026-11-23T10:00:00Z", "lastUpdatedAt": "2026-11-23T10:00:00Z"}
EXTENSION = "io.modelcontextprotocol/tasks"

log = open(sys.argv[2], "a", buffering=1)


def note(message, headers=None):
    log.write(json.dumps({"at": time.monotonic(), "message": message, "headers": headers}) + "\n")


def tool(name, support):
    return {"name": name, "inputSchema": {"type": "object"}, "execution": {"taskSupport": support}}


def text(words):
    return {"content": [{"type": "text", "text": words}]}


class Refused(Exception):
    def __init__(self, code, message, data=None):
        super().__init__(message)
        self.error = {"code": code, "message": message} | ({"data": data} if data else {})


# --- 2025-11-25, on lines: no status is ever notified, and questions come only to who waits in tasks/result ---

signed = 0


def say(message):
    sys.stdout.write(json.dumps({"jsonrpc": "2.0"} | message) + "\n")
    sys.stdout.flush()


def hear():
    line = sys.stdin.readline()
    if not line:
        sys.exit(0)
    message = json.loads(line)
    note(message)
    return message


def ask(number, params):
    """Asks, and serves what comes before the reply."""
    say({"id": number, "method": "elicitation/create", "params": params})
    while True:
        message = hear()
        if message.get("id") == number and "method" not in message:
            return
        serve_legacy(message)


def legacy(method, params):
    global signed
    if method == "initialize":
        tasks = {"list": {}, "cancel": {}, "requests": {"tools": {"call": {}}}}
        return {"protocolVersion": "2025-11-25", "serverInfo": {"name": "bare", "version": "1"},
                "capabilities": {"tools": {}, "tasks": tasks}}
    if method == "tools/list":
        return {"tools": [tool("ask", "required"), tool("sign", "forbidden")]}
    if method == "tools/call" and params["name"] == "sign":
        signed += 1
        if signed < 3:
            raise Refused(-32042, "Sign first.", {"elicitations": [PAGE]})
        return text("signed")
    if method == "tools/call":
        return {"task": {"taskId": "t1", "status": "working", "ttl": None, "pollInterval": 100} | TIMES}
    if method == "tasks/get":
        return {"taskId": "t1", "status": "input_required", "ttl": None, "pollInterval": 100} | TIMES
    if method == "tasks/result":
        about = {"io.modelcontextprotocol/related-task": {"taskId": "t1"}}
        ask(901, {"message": "Who are you?", "requestedSchema": FORM, "_meta": about})
        ask(902, {"mode": "voice", "message": "Say it.", "requestedSchema": FORM})
        ask(903, PAGE)
        for page in ["e1", "nobody's"]:
            say({"method": "notifications/elicitation/complete", "params": {"elicitationId": page}})
        return text("done")
    raise Refused(-32601, method)


def serve_legacy(message):
    if "method" not in message or "id" not in message:
        return
    try:
        say({"id": message["id"], "result": legacy(message["method"], message.get("params", {}))})
    except Refused as refused:
        say({"id": message["id"], "error": refused.error})


# --- 2026-07-28, on HTTP: nothing can be listened to, and an answered key is shown for two more polls ---

polls = 0
answered_at = None


def modern(method, params):
    global polls, answered_at
    if method == "server/discover":
        return {"resultType": "complete", "supportedVersions": ["2026-07-28"], "ttlMs": 0, "cacheScope": "private",
                "capabilities": {"tools": {}, "extensions": {EXTENSION: {}}},
                "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "bare", "version": "1"}}}
    if method == "tools/list":
        tools = [{"name": name, "inputSchema": {"type": "object"}} for name in ("ask", "round")]
        return {"resultType": "complete", "tools": tools, "ttlMs": 0, "cacheScope": "private"}
    question = {"method": "elicitation/create", "params": {"message": "Who are you?", "requestedSchema": FORM}}
    if method == "tools/call" and params["name"] == "round":
        if params.get("requestState") == STATE:
            return {"resultType": "complete"} | text("went round")
        return {"resultType": "input_required", "requestState": STATE, "inputRequests": {"k": question}}
    task = {"taskId": "t1", "status": "working", "ttlMs": None, "pollIntervalMs": 300} | TIMES
    if method == "tools/call":
        return {"resultType": "task"} | task
    if method == "tasks/get":
        polls += 1
        if answered_at is not None and polls > answered_at + 2:
            return {"resultType": "complete"} | task | {"status": "completed", "result": text("done")}
        return {"resultType": "complete"} | task | {"status": "input_required", "inputRequests": {"k": question}}
    if method == "tasks/update":
        answered_at = polls
        return {"resultType": "complete"}
    raise Refused(-32601, method)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        message = json.loads(self.rfile.read(int(self.headers["content-length"])))
        note(message, {name.lower(): value for name, value in self.headers.items()})
        reply = {"jsonrpc": "2.0", "id": message.get("id")}
        try:
            reply["result"] = modern(message["method"], message.get("params", {}))
        except Refused as refused:
            reply["error"] = refused.error
        body = json.dumps(reply).encode()
        self.send_response(200 if "id" in message else 202)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if sys.argv[1] == "legacy":
    while True:
        serve_legacy(hear())
else:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()
