"""Runs a FastMCP server over `stdio`, or over `http` on a port that it picks and prints."""

import asyncio
import socket
import sys

import uvicorn


def run(mcp) -> None:
    if sys.argv[1] == "stdio":
        mcp.run(transport="stdio", show_banner=False)
    else:
        asyncio.run(serve(mcp))


async def serve(mcp) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    # Whoever reads the port may connect at once: the kernel keeps the connection until it is taken.
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(mcp.http_app(), log_level="warning", lifespan="on")
    await uvicorn.Server(config).serve(sockets=[listener])
