"""A FastMCP 3 client that calls the tool `ask`: `client.py URL LANES SECONDS QUESTIONS PATIENCE`.

Runs tasks with QUESTIONS questions each for SECONDS, LANES at a time, in one session, and prints each as a JSON line
`{"submitted", "ended", "result"}` with times in nanoseconds; `result` is null for a task that did not end within
PATIENCE seconds.
"""

import asyncio
import json
import os
import sys
import time

from fastmcp import Client
from fastmcp.client.elicitation import ElicitResult


async def answer(message, response_type, params, context):
    return ElicitResult(action="accept", content={"value": str(time.time_ns())})


async def finish(client, questions):
    task = await client.call_tool("ask", {"n": questions}, task=True)
    return (await task.result()).structured_content


async def run(client, questions, patience):
    submitted = time.time_ns()
    try:
        structured = await asyncio.wait_for(finish(client, questions), patience)
    except Exception:
        # Too slow, or refused: in either case it is lost.
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
        # Closing a session in which a task hangs would wait for it.
        os._exit(0)


asyncio.run(main())
