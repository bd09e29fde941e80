"""A FastMCP 4 client: `fastmcp4.py http URL` or `fastmcp4.py stdio PORT`. Prints what it saw as JSON."""

import asyncio
import json
import pathlib
import sys

from fastmcp import Client
from fastmcp.client.elicitation import ElicitResult
from fastmcp.client.transports import StdioTransport
from fastmcp_tasks.client import call_tool_task

asked = []
mood = set()
seen = {}


async def handler(message, response_type, params, context):
    asked.append(message)
    if "decline" in mood:
        return ElicitResult(action="decline")
    if "cancel" in mood:
        return ElicitResult(action="cancel")
    return {"name": f"n{len(asked)}"}


def transport():
    if sys.argv[1] == "http":
        return sys.argv[2]
    bridge = pathlib.Path(__file__).parent / "bridge.py"
    return StdioTransport(sys.executable, [str(bridge), sys.argv[2]], keep_alive=False)


async def run(name, tool, arguments, *moods, task=True, asks=handler):
    mood.clear()
    mood.update(moods)
    asked.clear()
    async with Client(transport(), elicitation_handler=asks) as client:
        try:
            if task:
                running = await call_tool_task(client, tool, arguments)
                result = await running.result()
            else:
                result = await client.call_tool(tool, arguments)
            seen[name] = {"text": result.content[0].text, "asked": list(asked)}
        except Exception as error:
            seen[name] = {"error": f"{type(error).__name__}: {error}", "asked": list(asked)}


async def main():
    await run("accept", "ask_name", {})
    await run("decline", "ask_name", {}, "decline")
    await run("cancel", "ask_name", {}, "cancel")
    await run("row", "ask_many", {"count": 5})
    await run("both", "ask_both", {})
    await run("no_handler", "ask_name", {}, asks=None)
    await run("fails", "fail", {})
    await run("transparent", "ask_name", {}, task=False)
    await run("greets", "greet", {"name": "Ada"}, task=False)


asyncio.run(asyncio.wait_for(main(), 120))
print(json.dumps(seen))
