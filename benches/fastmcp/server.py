"""The tool `ask` of benches/ask.toml on FastMCP 3: `server.py` prints its port and serves until it is killed.

FASTMCP_DOCKET_URL and FASTMCP_DOCKET_NAME say where its tasks are. Its workers run in this process, as many as are
FastMCP's default.
"""

import asyncio
import time

import uvicorn
from fastmcp import Context, FastMCP

mcp = FastMCP("benchmark")


@mcp.tool(task=True)
async def ask(ctx: Context, n: int = 1) -> dict:
    started = time.time_ns()
    asked, answers, ended = [], [], started
    for number in range(n):
        asked.append(f"q{number} t={time.time_ns()}")
        answer = await ctx.elicit(asked[-1], response_type=str)
        ended = time.time_ns()
        answers.append(answer.data)
    return {"started": started, "asked": asked, "answers": answers, "ended": ended}


async def main():
    # The port is uvicorn's to open, as in any deployment: on a socket that is handed to it, asyncio leaves small packets
    # to wait for one another.
    config = uvicorn.Config(mcp.http_app(), host="127.0.0.1", port=0, log_level="critical", lifespan="on")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    print(server.servers[0].sockets[0].getsockname()[1], flush=True)
    await serving


asyncio.run(main())
