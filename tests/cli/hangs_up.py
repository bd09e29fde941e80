"""A modern server on HTTP that hangs up at each `tools/call`: `hangs_up.py LOG` prints its URL; LOG gets a line for each."""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

RESULTS = {
    "server/discover": {"supportedVersions": ["2026-07-28"], "ttlMs": 0, "cacheScope": "private",
                        "capabilities": {"tools": {}, "extensions": {"io.modelcontextprotocol/tasks": {}}}},
    "tools/list": {"tools": [{"name": "bake", "inputSchema": {"type": "object"}}], "ttlMs": 0, "cacheScope": "private"},
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        message = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if message["method"] == "tools/call":
            with open(sys.argv[1], "a") as log:
                log.write("called\n")
            self.close_connection = True
            return
        result = {"resultType": "complete"} | RESULTS.get(message["method"], {})
        body = json.dumps({"jsonrpc": "2.0", "id": message.get("id"), "result": result}).encode()
        self.send_response(200 if "id" in message else 202)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(f"http://127.0.0.1:{server.server_port}/mcp", flush=True)
server.serve_forever()
