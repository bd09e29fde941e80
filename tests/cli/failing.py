"""A legacy server on stdin and stdout whose one task has failed: `failing.py HOLDS` says what its `tasks/result` holds,
`nothing` but notes, a `result` as if all were well, or an `error`."""

import json
import sys

TASK = {"taskId": "t-1", "status": "failed", "statusMessage": "the oven is cold", "ttl": 60000, "pollInterval": 50,
        "createdAt": "2026-01-01T00:00:00Z", "lastUpdatedAt": "2026-01-01T00:00:01Z"}
HOLDS = {
    "nothing": {"result": {"_meta": {"io.modelcontextprotocol/related-task": {"taskId": "t-1"}}}},
    "result": {"result": {"content": [{"type": "text", "text": "half a cake"}]}},
    "error": {"error": {"code": -32050, "message": "no gas"}},
}


def reply(method):
    if method == "initialize":
        tasks = {"list": {}, "cancel": {}, "requests": {"tools": {"call": {}}}}
        return {"result": {"protocolVersion": "2025-11-25", "serverInfo": {"name": "failing", "version": "1"},
                           "capabilities": {"tools": {}, "tasks": tasks}}}
    if method == "tools/list":
        tool = {"name": "bake", "inputSchema": {"type": "object"}, "execution": {"taskSupport": "optional"}}
        return {"result": {"tools": [tool]}}
    if method == "tools/call":
        return {"result": {"task": TASK | {"status": "working"}}}
    if method == "tasks/get":
        return {"result": TASK}
    if method == "tasks/cancel":
        return {"error": {"code": -32602, "message": "Cannot cancel a task that has ended"}}
    if method == "tasks/result":
        return HOLDS[sys.argv[1]]
    return {"error": {"code": -32601, "message": method}}


for line in sys.stdin:
    message = json.loads(line)
    if "id" in message and "method" in message:
        print(json.dumps({"jsonrpc": "2.0", "id": message["id"]} | reply(message["method"])), flush=True)
