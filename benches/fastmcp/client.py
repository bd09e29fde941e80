"""A FastMCP 3 client that calls the tool `ask`: `client.py URL LANES SECONDS QUESTIONS PATIENCE`.

Runs tasks with QUESTIONS questions each for SECONDS, LANES at a time, in one session, and prints each as a JSON line
`{"submitted", "ended", "result"}` with times in nanoseconds; `result` is null for a task that did not end within
PATIENCE seconds.
"""

import asyncio
import json
import sys
import time

from fastmcp import Client
from fastmcp.client.elicitation import ElicitResult


async def answer(message, response_type, params, context):
    return ElicitResult(action="accept", content={"value": str(time.time_ns())})


async def run(client, questions, patience):
    submitted = time.time_ns()
    task = await client.call_tool("ask", {"n": questions}, task=True)
    try:
        result = await asyncio.wait_for(task.result(), patience)
        structured = result.structured_content
    except (TimeoutError, asyncio.TimeoutError):
        structured = None
    print(json.dumps({"submitted": submitted, "ended": time.time_ns(), "result": structured}), flush=True)


async def main():
    url, lanes, seconds, questions, patience = sys.argv[1], *map(int, sys.argv[2:6])

    async def lane(client):
        while time.monotonic() < until:
            await run(client, questions, patience)

    async with Client(url, elicitation_handler=answer) as client:
        until = time.monotonic() + seconds
        await asyncio.gather(*(lane(client) for _ in range(lanes)))


asyncio.run(main())
