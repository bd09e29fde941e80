"""The Python SDK 1.30 with its experimental tasks: `mcp1.py http URL` or `mcp1.py stdio PORT`."""

import asyncio
import json
import pathlib
import sys
from contextlib import asynccontextmanager

from mcp import ClientSession, StdioServerParameters, types
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamablehttp_client

asked = []
seen = {}


async def elicitation(context, params):
    asked.append(params.message)
    return types.ElicitResult(action="accept", content={"name": f"n{len(asked)}"})


@asynccontextmanager
async def streams():
    if sys.argv[1] == "http":
        async with streamablehttp_client(sys.argv[2]) as (read, write, _):
            yield read, write
    else:
        bridge = pathlib.Path(__file__).parent / "bridge.py"
        parameters = StdioServerParameters(command=sys.executable, args=[str(bridge), sys.argv[2]])
        async with stdio_client(parameters) as (read, write):
            yield read, write


async def main():
    async with streams() as (read, write):
        async with ClientSession(read, write, elicitation_callback=elicitation) as session:
            initialized = await session.initialize()
            seen["tasks"] = initialized.capabilities.tasks.model_dump(exclude_none=True)
            tools = {tool.name: tool for tool in (await session.list_tools()).tools}
            seen["support"] = {name: tools[name].execution.taskSupport for name in ("greet", "ask_name", "fail")}
            tasks = session.experimental
            created = await tasks.call_tool_as_task("ask_many", {"count": 3}, ttl=60000)
            id = created.task.taskId
            seen["statuses"] = []
            async for status in tasks.poll_task(id):
                if not seen["statuses"] or seen["statuses"][-1] != status.status:
                    seen["statuses"].append(status.status)
            result = await tasks.get_task_result(id, types.CallToolResult)
            seen["text"], seen["meta"] = result.content[0].text, result.meta
            seen["asked"] = asked
            seen["same"] = result.meta["io.modelcontextprotocol/related-task"]["taskId"] == id
            seen["listed"] = [task.taskId for task in (await tasks.list_tasks()).tasks] == [id]
            waiting = await tasks.call_tool_as_task("work", {"ms": 60000}, ttl=60000)
            seen["cancelled"] = (await tasks.cancel_task(waiting.task.taskId)).status
            greeting = await session.call_tool("greet", {"name": "Ada"})
            seen["greets"] = greeting.content[0].text


asyncio.run(asyncio.wait_for(main(), 120))
print(json.dumps(seen))
