"""The Python SDK 2.3, which has no tasks, once in each era: `mcp2.py http URL` or `mcp2.py stdio PORT`."""

import asyncio
import json
import pathlib
import sys

from mcp import Client, StdioServerParameters
from mcp.shared.exceptions import MCPError
from mcp_types import ElicitResult

asked = []
action = "accept"


async def elicitation(context, params):
    asked.append(params.message)
    answers = action == "accept" and params.mode == "form"
    content = {"name": f"n{len(asked)}"} if answers else None
    return ElicitResult(action=action, content=content)


def target():
    if sys.argv[1] == "http":
        return sys.argv[2]
    bridge = pathlib.Path(__file__).parent / "bridge.py"
    return StdioServerParameters(command=sys.executable, args=[str(bridge), sys.argv[2]])


async def call(client, name, arguments):
    asked.clear()
    try:
        result = await client.call_tool(name, arguments)
        return {"text": result.content[0].text, "is_error": result.is_error, "asked": list(asked)}
    except MCPError as error:
        return {"error": error.error.message, "code": error.error.code}


async def era(mode):
    global action
    found = {}
    async with Client(target(), mode=mode, elicitation_callback=elicitation) as client:
        found["version"] = client.protocol_version
        found["tools"] = len((await client.list_tools()).tools)
        for action in ["decline", "cancel", "accept"]:
            found[action] = await call(client, "ask_name", {})
        found["row"] = await call(client, "ask_many", {"count": 5})
        found["both"] = await call(client, "ask_both", {})
        found["greets"] = await call(client, "greet", {"name": "Ada"})
        found["page"] = await call(client, "ask_page", {})
        steps = []

        async def progress(current, total, message):
            steps.append(message)

        await client.call_tool("steps", {}, progress_callback=progress)
        found["steps"] = steps
        # A tool that runs as a task only, and this client declares none.
        found["fail"] = await call(client, "fail", {})
    async with Client(target(), mode=mode) as client:
        found["unasked"] = await call(client, "ask_name", {})
    return found


async def main():
    print(json.dumps({"legacy": await era("legacy"), "modern": await era("auto")}))


asyncio.run(asyncio.wait_for(main(), 120))
