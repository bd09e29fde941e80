"""An MCP server on stdio, in both eras, that asks one form: `forms.py FILE`. FILE holds the schema, and once a modern
client has answered, the line behind it holds what came. A legacy client's answer is the call's result.
"""
import json
import sys

FILE = sys.argv[1]
SCHEMA = json.loads(open(FILE).readline())
QUESTION = {"message": "Pick.", "requestedSchema": SCHEMA}
TASK = {"taskId": "t1", "status": "input_required", "ttlMs": None, "pollIntervalMs": 100,
        "createdAt": "2026-11-23T10:00:00Z", "lastUpdatedAt": "2026-11-23T10:00:00Z"}
INFO = {"name": "forms", "version": "1"}
EXTENSION = "io.modelcontextprotocol/tasks"


def send(message):
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)


def result(method, params):
    if method == "initialize":
        return {"protocolVersion": "2025-11-25", "serverInfo": INFO, "capabilities": {"tools": {}}}
    if method == "server/discover":
        return {"resultType": "complete", "supportedVersions": ["2026-07-28"], "ttlMs": 0, "cacheScope": "private",
                "capabilities": {"tools": {}, "extensions": {EXTENSION: {}}},
                "_meta": {"io.modelcontextprotocol/serverInfo": INFO}}
    if method == "tools/list":
        return {"tools": [{"name": "ask", "inputSchema": {"type": "object"}}]}
    if method == "tasks/get" and len(open(FILE).readlines()) > 1:
        return {"resultType": "complete", **TASK, "status": "working"}
    if method == "tasks/get":
        requests = {"q": {"method": "elicitation/create", "params": QUESTION}}
        return {"resultType": "complete", **TASK, "inputRequests": requests}
    if method == "tasks/update":
        with open(FILE, "a") as file:
            file.write(json.dumps(params["inputResponses"]["q"]) + "\n")
        return {"resultType": "complete"}
    return None


called = None
for line in sys.stdin:
    message = json.loads(line)
    method = message.get("method")
    if method is None and message.get("id") == "form":
        content = json.dumps(message["result"].get("content"), separators=(",", ":"))
        send({"id": called, "result": {"content": [{"type": "text", "text": content}]}})
    elif method == "tools/call":
        called = message["id"]
        send({"id": "form", "method": "elicitation/create", "params": QUESTION})
    elif "id" in message and method is not None:
        found = result(method, message.get("params", {}))
        error = {"code": -32601, "message": method}
        send({"id": message["id"], **({"error": error} if found is None else {"result": found})})
