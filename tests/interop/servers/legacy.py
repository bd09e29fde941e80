"""A FastMCP 3 server whose tools ask: `legacy.py http` or `legacy.py stdio`.

With MCPTASK_TEST_TOKEN set, only that bearer token is let in.
"""

import asyncio
import os
from dataclasses import dataclass
from datetime import timedelta

import serving
from fastmcp import Context, FastMCP
from fastmcp.exceptions import ToolError
from fastmcp.server.auth.providers.jwt import StaticTokenVerifier
from fastmcp.server.tasks.config import TaskConfig

token = os.environ.get("MCPTASK_TEST_TOKEN")
auth = StaticTokenVerifier(tokens={token: {"client_id": "ann", "scopes": []}}) if token else None
mcp = FastMCP("legacy kitchen", auth=auth)
soon = TaskConfig(mode="optional", poll_interval=timedelta(milliseconds=200))


@dataclass
class Dinner:
    vegetarian: bool
    cuisine: str


async def dinner(ctx: Context) -> str:
    answer = await ctx.elicit("What shall we cook?", response_type=Dinner)
    if answer.action != "accept":
        return f"no dinner: {answer.action}"
    return f"{answer.data.cuisine}, vegetarian: {answer.data.vegetarian}"


@mcp.tool(task=soon)
async def plan_dinner(ctx: Context) -> str:
    return await dinner(ctx)


@mcp.tool
async def ask_now(ctx: Context) -> str:
    return await dinner(ctx)


@mcp.tool(task=soon)
async def survey(count: int, ctx: Context) -> str:
    words = []
    for number in range(count):
        answer = await ctx.elicit(f"Word {number}?", response_type=str)
        words.append(answer.data if answer.action == "accept" else answer.action)
    return " ".join(words)


@mcp.tool(task=soon)
async def explode() -> str:
    raise ToolError("the kitchen is on fire")


@mcp.tool(task=soon)
async def linger() -> str:
    await asyncio.sleep(3600)
    return "at last"


@mcp.tool
async def wait_here() -> str:
    await asyncio.sleep(3600)
    return "at last"


@mcp.tool
async def greet(name: str) -> str:
    return f"Hello, {name}!"


serving.run(mcp)
