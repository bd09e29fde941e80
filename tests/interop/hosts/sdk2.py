"""A host of the Python SDK 2.3 whose user decides, in one era: `sdk2.py TASK MODE COMMAND...`."""

import asyncio
import json
import os
import sys

from mcp import Client, StdioServerParameters
from mcp_types import ElicitResult

seen = {}


async def elicitation(context, params):
    seen["asked"] = params.message
    return ElicitResult(action="accept", content={"sure": True, "words": "by a Python host"})


async def main():
    task, mode, command, *words = sys.argv[1:]
    target = StdioServerParameters(command=command, args=words, env=dict(os.environ))
    async with Client(target, mode=mode, elicitation_callback=elicitation) as client:
        seen["version"] = client.protocol_version
        await client.list_tools()
        waiting = await client.call_tool("list_waiting", {})
        seen["waiting"] = [one["task"] for one in waiting.structured_content["tasks"]]
        question = waiting.structured_content["tasks"][0]["questions"][0]["id"]
        given = {"task": task, "question": question}
        seen["receipt"] = (await client.call_tool("ask_user", given)).structured_content
        watched = await client.call_tool("watch_task", {"task": task})
        seen["ended"] = watched.structured_content["reason"]
        late = await client.call_tool("answer_question", {**given, "action": "decline"})
        seen["late"] = {"code": late.structured_content["code"], "isError": late.is_error}


asyncio.run(asyncio.wait_for(main(), 120))
print(json.dumps(seen))
