"""Serves a page and its program: `serve.py page.js`. Prints its port, then what the page tells, a line each."""

import http.server
import pathlib
import sys

PAGE = b"<!doctype html><meta charset=utf-8><script type=module src=/page.js></script>"
SCRIPT = pathlib.Path(sys.argv[1]).read_bytes()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        is_script = self.path == "/page.js"
        self.reply("text/javascript" if is_script else "text/html", SCRIPT if is_script else PAGE)

    def do_POST(self):
        told = self.rfile.read(int(self.headers["Content-Length"]))
        self.reply("text/plain", b"")
        print(told.decode(), flush=True)

    def reply(self, kind, body):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
