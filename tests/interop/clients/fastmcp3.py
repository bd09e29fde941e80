"""A FastMCP 3 client: `fastmcp3.py http URL` or `fastmcp3.py stdio PORT`. Prints what it saw as JSON."""

import asyncio
import json
import pathlib
import sys

from fastmcp import Client
from fastmcp.client.elicitation import ElicitResult
from fastmcp.client.transports import StdioTransport

asked = []


async def handler(message, response_type, params, context):
    asked.append(message)
    if "decline" in mood:
        return ElicitResult(action="decline")
    if "cancel" in mood:
        return ElicitResult(action="cancel")
    if "slow" in mood:
        await asyncio.sleep(1)
    if "invalid" in mood and len(asked) == 1:
        return {"name": "X"}
    if "cuisine" in params.requestedSchema["properties"]:
        return response_type(cuisine="Thai")
    if "vegetarian" in params.requestedSchema["properties"]:
        return response_type(vegetarian=True)
    return {"name": f"n{len(asked)}"}


mood = set()


def transport():
    if sys.argv[1] == "http":
        return sys.argv[2]
    bridge = pathlib.Path(__file__).parent / "bridge.py"
    return StdioTransport(sys.executable, [str(bridge), sys.argv[2]], keep_alive=False)


async def run(name, tool, arguments, *moods, task=True, handles=True):
    mood.clear()
    mood.update(moods)
    asked.clear()
    statuses = []
    handlers = {"elicitation_handler": handler} if handles else {}
    async with Client(transport(), **handlers) as client:
        try:
            if task:
                running = await client.call_tool(tool, arguments, task=True)
                running.on_status_change(lambda status: statuses.append(status.status))
                result = await running.result()
                last = (await running.status()).status
            else:
                result = await client.call_tool(tool, arguments)
                last = None
            content = result.content if hasattr(result, "content") else result
            seen[name] = {"text": content[0].text, "asked": list(asked), "last": last}
            if task:
                seen[name]["statuses"] = statuses
        except Exception as error:
            seen[name] = {"error": f"{type(error).__name__}: {error}", "asked": list(asked)}


seen = {}


async def main():
    await run("accept", "ask_name", {})
    await run("decline", "ask_name", {}, "decline")
    await run("cancel", "ask_name", {}, "cancel")
    await run("slow", "ask_name", {}, "slow")
    await run("invalid", "ask_name", {}, "invalid")
    await run("row", "ask_many", {"count": 20})
    await run("both", "ask_both", {})
    await run("structured", "plan_dinner", {"guests": 3})
    await run("no_handler", "ask_name", {}, handles=False)
    await run("fails", "fail", {})
    await run("foreground", "ask_name", {}, task=False)
    await run("greets", "greet", {"name": "Ada"}, task=False)
    async with Client(transport(), elicitation_handler=handler) as client:
        mood.clear()
        mood.add("slow")
        running = await client.call_tool("ask_name", {}, task=True)
        await asyncio.sleep(0.3)
        await running.cancel()
        seen["cancelled"] = (await running.status()).status


asyncio.run(asyncio.wait_for(main(), 120))
print(json.dumps(seen))
