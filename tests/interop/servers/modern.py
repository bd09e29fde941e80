"""A FastMCP 4 server whose tools ask: `modern.py http` or `modern.py stdio`.

With MCPTASK_TEST_TOKEN set, only that bearer token is let in.
"""

import asyncio
import os
from datetime import timedelta

import serving
from fastmcp import Context, FastMCP
from fastmcp.exceptions import ToolError
from fastmcp.server.auth.providers.jwt import StaticTokenVerifier
from fastmcp.utilities.tasks import TaskConfig
from fastmcp_tasks import TasksExtension
from mcp.shared.exceptions import MCPError
from mcp_types import ElicitRequest, ElicitRequestFormParams, InputRequiredResult

token = os.environ.get("MCPTASK_TEST_TOKEN")
auth = StaticTokenVerifier(tokens={token: {"client_id": "ann", "scopes": []}}) if token else None
mcp = FastMCP("modern kitchen", auth=auth)
mcp.add_extension(TasksExtension(url="memory://"))
soon = TaskConfig(mode="optional", poll_interval=timedelta(milliseconds=200))

DINNER = {
    "type": "object",
    "properties": {"vegetarian": {"type": "boolean"}, "cuisine": {"type": "string", "minLength": 3}},
    "required": ["vegetarian", "cuisine"],
}
WORD = {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]}


def asking(state: str | None = None, **forms: tuple[str, dict]) -> InputRequiredResult:
    requests = {
        key: ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=schema))
        for key, (message, schema) in forms.items()
    }
    return InputRequiredResult(input_requests=requests, request_state=state)


async def dinner(ctx: Context):
    if not ctx.input_responses:
        return asking(state="opaque \u00fc state", dinner=("What shall we cook?", DINNER))
    if ctx.request_state != "opaque \u00fc state":
        raise ToolError(f"the state came back as {ctx.request_state!r}")
    answer = ctx.input_responses["dinner"]
    if answer.action != "accept":
        return f"no dinner: {answer.action}"
    return f"{answer.content['cuisine']}, vegetarian: {answer.content['vegetarian']}"


@mcp.tool(task=soon)
async def plan_dinner(ctx: Context):
    return await dinner(ctx)


@mcp.tool
async def ask_now(ctx: Context):
    return await dinner(ctx)


@mcp.tool(task=soon)
async def survey(count: int, ctx: Context):
    words = ctx.request_state.split() if ctx.request_state else []
    if ctx.input_responses:
        answer = next(iter(ctx.input_responses.values()))
        words.append(answer.content["word"] if answer.action == "accept" else answer.action)
    if len(words) == count:
        return " ".join(words)
    number = len(words)
    return asking(state=" ".join(words) or None, **{f"word{number}": (f"Word {number}?", WORD)})


@mcp.tool(task=soon)
async def pair(ctx: Context):
    if not ctx.input_responses:
        return asking(first=("First word?", WORD), second=("Second word?", WORD))
    return " ".join(ctx.input_responses[key].content["word"] for key in ("first", "second"))


@mcp.tool(task=soon)
async def explode() -> str:
    raise ToolError("the kitchen is on fire")


@mcp.tool(task=soon)
async def protocol_error() -> str:
    raise MCPError(code=-32050, message="no gas", data={"tank": "empty"})


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
