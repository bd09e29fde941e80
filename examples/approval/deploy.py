#!/usr/bin/env python3
"""The same approval gate without mcptask on the path: it speaks docs/ASK_PROTOCOL.md itself."""
import json
import os
import socket
import sys

worker = socket.socket(socket.AF_UNIX)
worker.connect(os.environ["MCPTASK_SOCKET"])
lines = worker.makefile("rw", encoding="utf-8")


def send(request):
    print(json.dumps(request), file=lines, flush=True)
    reply = json.loads(lines.readline())
    if "error" in reply:
        sys.exit(reply["error"]["message"])
    return reply


def ask(message, field, **more):
    """The value of the one field, or None where the user did not answer."""
    schema = {"type": "object", "properties": {"value": field}, "required": ["value"]}
    answer = send({"ask": {"message": message, "schema": schema, **more}})["answer"]
    return answer["content"]["value"] if answer["action"] == "accept" else None


def not_deployed(why):
    print(json.dumps({"version": version, "deployed": False, "reason": why}))
    sys.exit()


version = json.load(sys.stdin)["version"]
environments = {"type": "string", "title": "Environment", "enum": ["staging", "production"]}
where = ask(f"Where should version {version} go?", environments)
if where is None:
    not_deployed("nobody chose an environment")
if where == "production":
    if not ask(f"Deploy version {version} to production, now?", {"type": "boolean"}, timeout=1800):
        not_deployed("production was not approved")

steps = [f"building {version}", f"uploading to {where}", "switching over"]
for step, what in enumerate(steps):
    send({"report": {"current": step, "total": len(steps), "message": what}})
    # What really builds, uploads and switches goes here.
print(json.dumps({"version": version, "deployed": True, "environment": where}))
