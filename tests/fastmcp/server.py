"""A FastMCP deployment: one file for versions 3 and 4.

    server.py serve PORT    an MCP endpoint at http://127.0.0.1:PORT/mcp, with FastMCP's embedded worker
    server.py front PORT    the same without a worker: tasks wait for one from elsewhere
    server.py worker        a worker in a process of its own

FASTMCP_DOCKET_URL, FASTMCP_DOCKET_NAME and FASTMCP_DOCKET_CONCURRENCY configure it as in any deployment.
OMIT_TOOL leaves one tool out, as an older version of a server would. With DASHED, the ids of FastMCP 4 are those
random ones that begin with `-`, as one in 64 does by itself. What tools return is also written to the
file SERVED: a client whose handler does not return cannot be asked for it, since FastMCP's client reads nothing
meanwhile.
"""

import asyncio
import os
import secrets
import sys
from importlib.metadata import version

from fastmcp import Context, FastMCP

MODERN = version("fastmcp").startswith("4")

PLAN = {
    "type": "object",
    "properties": {
        "cuisine": {"type": "string", "enum": ["italian", "thai"]},
        "guests": {"type": "integer", "minimum": 1, "maximum": 20},
    },
    "required": ["cuisine"],
}
VEGETARIAN = {"type": "object", "properties": {"vegetarian": {"type": "boolean"}}, "required": ["vegetarian"]}
COUNT = {"type": "object", "properties": {"value": {"type": "integer"}}, "required": ["value"]}
NESTED = {"type": "object", "properties": {"place": {"type": "object", "properties": {}}}}

if "DASHED" in os.environ:
    random_token = secrets.token_urlsafe

    def dashed_token(length=None):
        while not (token := random_token(length)).startswith("-"):
            pass
        return token

    secrets.token_urlsafe = dashed_token

mcp = FastMCP("kitchen")


def served(text):
    """A result, also noted where a test finds it."""
    with open(os.environ["SERVED"], "a") as file:
        print(text, file=file)
    return text


def tool(function):
    """Registers a background task, unless this deployment leaves it out."""
    if os.environ.get("OMIT_TOOL") == function.__name__:
        return function
    return mcp.tool(task=True)(function)


if MODERN:
    import mcp_types
    from fastmcp_tasks import TasksExtension
    from fastmcp.dependencies import Progress

    mcp.add_extension(TasksExtension())

    def asking(state, **questions):
        requests = {}
        for name, (message, schema) in questions.items():
            params = mcp_types.ElicitRequestFormParams(message=message, requested_schema=schema)
            requests[name] = mcp_types.ElicitRequest(params=params)
        return mcp_types.InputRequiredResult(input_requests=requests, request_state=state)

    def given(ctx, name):
        return (ctx.input_responses or {}).get(name)

    @tool
    async def plan_dinner(ctx: Context) -> str:
        state = ctx.request_state or "start"
        if state == "start":
            return asking("diet", plan=("What kind of dinner?", PLAN))
        if state == "diet":
            answer = given(ctx, "plan")
            if answer.action != "accept":
                return served(f"no dinner: {answer.action}")
            return asking(f"done:{answer.content['cuisine']}", diet=("Vegetarian?", VEGETARIAN))
        answer = given(ctx, "diet")
        return served(f"{state.removeprefix('done:')} {answer.action} {answer.content}")

    @tool
    async def plan_for(ctx: Context, name: str = "nobody") -> str:
        if ctx.request_state is None:
            return asking("asked", diet=("Vegetarian?", VEGETARIAN))
        return served(f"{name} {given(ctx, 'diet').content}")

    @tool
    async def ask_two(ctx: Context) -> str:
        if ctx.request_state is None:
            return asking("both", plan=("What kind of dinner?", PLAN), diet=("Vegetarian?", VEGETARIAN))
        return served(f"{given(ctx, 'plan').content} {given(ctx, 'diet').content}")

    @tool
    async def ask_nested(ctx: Context) -> str:
        if ctx.request_state is None:
            return asking("asked", place=("Where?", NESTED))
        return served(f"{given(ctx, 'place').action}")

else:
    try:
        from fastmcp.dependencies import Progress
    except ImportError:
        from fastmcp.server.dependencies import Progress

    from fastmcp.server.tasks.elicitation import elicit_for_task

    async def ask(ctx, message, schema):
        session = getattr(ctx, "_session", None)
        return await elicit_for_task(ctx._task_id, session, message, schema, ctx.fastmcp)

    @tool
    async def plan_dinner(ctx: Context) -> str:
        answer = await ask(ctx, "What kind of dinner?", PLAN)
        if answer.action != "accept":
            return served(f"no dinner: {answer.action}")
        diet = await ask(ctx, "Vegetarian?", VEGETARIAN)
        return served(f"{answer.content['cuisine']} {diet.action} {diet.content}")

    @tool
    async def ask_then_work(ctx: Context, seconds: float) -> str:
        answer = await ask(ctx, "What kind of dinner?", PLAN)
        await asyncio.sleep(seconds)
        return served(answer.action)

    @tool
    async def work_then_ask(ctx: Context, seconds: float) -> str:
        await asyncio.sleep(seconds)
        return served((await ask(ctx, "What kind of dinner?", PLAN)).action)

    @tool
    async def ask_nested(ctx: Context) -> str:
        return served((await ask(ctx, "Where?", NESTED)).action)

    @tool
    async def ask_many(ctx: Context, count: int) -> str:
        answers = []
        for number in range(count):
            answer = await ask(ctx, f"Number {number}?", COUNT)
            answers.append(answer.content["value"] if answer.content else answer.action)
        return served(f"{answers}")


@tool
async def work(seconds: float, progress: Progress = Progress()) -> str:
    await progress.set_total(10)
    await progress.increment(3)
    await progress.set_message("chopping")
    await asyncio.sleep(seconds)
    return "worked"


@tool
async def fail() -> str:
    if MODERN:
        from mcp.shared.exceptions import MCPError

        raise MCPError(code=-32000, message="the oven is broken")
    raise ValueError("the oven is broken")


@tool
async def raise_error() -> str:
    raise ValueError("the oven is broken")


async def work_only():
    async with mcp._lifespan_manager():
        await asyncio.Event().wait()


def main():
    role = sys.argv[1]
    if role == "front":
        from docket.worker import Worker

        async def idle(self):
            await asyncio.Event().wait()

        Worker.run_forever = idle
    if role == "worker":
        asyncio.run(work_only())
    else:
        mcp.run(transport="http", host="127.0.0.1", port=int(sys.argv[2]), show_banner=False)


if __name__ == "__main__":
    main()
