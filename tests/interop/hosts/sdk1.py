"""A host of the Python SDK 1.30 whose user decides: `sdk1.py TASK COMMAND...`."""

import asyncio
import json
import os
import sys

from mcp import ClientSession, StdioServerParameters, types
from mcp.client.stdio import stdio_client

seen = {}


async def elicitation(context, params):
    seen["asked"] = params.message
    return types.ElicitResult(action="accept", content={"sure": True, "words": "by a Python host"})


async def main():
    task, command, *words = sys.argv[1:]
    parameters = StdioServerParameters(command=command, args=words, env=dict(os.environ))
    async with stdio_client(parameters) as (read, write):
        async with ClientSession(read, write, elicitation_callback=elicitation) as session:
            await session.initialize()
            await session.list_tools()
            waiting = await session.call_tool("list_waiting", {})
            seen["waiting"] = [one["task"] for one in waiting.structuredContent["tasks"]]
            question = waiting.structuredContent["tasks"][0]["questions"][0]["id"]
            given = {"task": task, "question": question}
            seen["receipt"] = (await session.call_tool("ask_user", given)).structuredContent
            watched = await session.call_tool("watch_task", {"task": task})
            seen["ended"] = watched.structuredContent["reason"]
            late = await session.call_tool("answer_question", {**given, "action": "decline"})
            seen["late"] = {"code": late.structuredContent["code"], "isError": late.isError}


asyncio.run(asyncio.wait_for(main(), 120))
print(json.dumps(seen))
