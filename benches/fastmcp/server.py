"""The tool `ask` of benches/ask.toml on FastMCP 3: `server.py` prints its port and serves until it is killed.

FASTMCP_DOCKET_URL and FASTMCP_DOCKET_NAME say where its tasks are. Its workers run in this process, as many as are
FastMCP's default.
"""

import asyncio
import socket
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
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(mcp.http_app(), log_level="critical", lifespan="on")
    await uvicorn.Server(config).serve(sockets=[listener])


asyncio.run(main())
