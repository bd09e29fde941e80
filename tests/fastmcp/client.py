"""An MCP client of that deployment.

    client.py URL TOOL ARGUMENTS MANNER

prints the task's id as its first line and, if it lives to see it, `result: …` as its last. MANNER:

    answer:JSON    answers every question with that content
    later:JSON     the same, after a line on its standard input
    silent         has an elicitation handler that never returns
    none           has no elicitation handler
    leave          closes its session once the task runs
"""

import asyncio
import json
import sys
from importlib.metadata import version

from fastmcp import Client
from fastmcp.client.elicitation import ElicitResult

MODERN = version("fastmcp").startswith("4")
if MODERN:
    # Importing it is what makes a client offer the tasks extension.
    from fastmcp_tasks import call_tool_task


def handler(manner):
    kind, _, content = manner.partition(":")
    if kind in ("none", "leave"):
        return None

    async def answer(message, response_type, params, context):
        print(f"asked: {message}", flush=True)
        if kind == "silent":
            await asyncio.Event().wait()
        if kind == "later":
            await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        return ElicitResult(action="accept", content=json.loads(content))

    return answer


async def launch(client, tool, arguments):
    if MODERN:
        return await call_tool_task(client, tool, arguments)
    return await client.call_tool(tool, arguments, task=True)


async def main():
    url, tool, arguments, manner = sys.argv[1:5]
    async with Client(url, elicitation_handler=handler(manner)) as client:
        task = await launch(client, tool, json.loads(arguments))
        print(task.task_id, flush=True)
        if manner == "leave":
            return
        try:
            result = await task.result()
            print(f"result: {result.content[0].text}", flush=True)
        except Exception as error:
            print(f"error: {error}", flush=True)


asyncio.run(main())
