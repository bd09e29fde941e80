"""The Python SDK 1.30 as a server, with its experimental tasks: `sdk1.py http` or `sdk1.py stdio`."""

import asyncio
import contextlib
import uuid
import warnings

import serving
from mcp import types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.applications import Starlette
from starlette.routing import Route

# The only way of this SDK to a task that another session may look at; it says that it is on its way out.
warnings.simplefilter("ignore", DeprecationWarning)
server = Server("python kitchen 1")
server.experimental.enable_tasks()

DINNER = {
    "type": "object",
    "properties": {"vegetarian": {"type": "boolean"}, "cuisine": {"type": "string", "minLength": 3}},
    "required": ["vegetarian", "cuisine"],
}
WORD = {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]}
COUNT = {"type": "object", "properties": {"count": {"type": "integer"}}, "required": ["count"]}


def text(words):
    return types.CallToolResult(content=[types.TextContent(type="text", text=words)])


def dinner(answer):
    if answer.action != "accept":
        return text(f"no dinner: {answer.action}")
    return text(f"{answer.content['cuisine']}, vegetarian: {answer.content['vegetarian']}")


async def plan_dinner(task, arguments):
    return dinner(await task.elicit("What shall we cook?", DINNER))


async def survey(task, arguments):
    words = []
    for number in range(arguments["count"]):
        answer = await task.elicit(f"Word {number}?", WORD)
        words.append(answer.content["word"] if answer.action == "accept" else answer.action)
    return text(" ".join(words))


async def explode(task, arguments):
    raise RuntimeError("the kitchen is on fire")


async def linger(task, arguments):
    await asyncio.sleep(3600)
    return text("at last")


TASKS = {
    "plan_dinner": plan_dinner,
    "survey": survey,
    "explode": explode,
    "linger": linger,
    "shared_linger": linger,
}


@server.list_tools()
async def tools():
    required = types.ToolExecution(taskSupport=types.TASK_REQUIRED)
    schemas = {"survey": COUNT}
    empty = {"type": "object"}
    tasks = [types.Tool(name=name, inputSchema=schemas.get(name, empty), execution=required) for name in TASKS]
    return tasks + [types.Tool(name=name, inputSchema=empty) for name in ("ask_now", "greet")]


@server.call_tool()
async def call(name, arguments):
    context = server.request_context
    if name == "ask_now":
        return dinner(await context.session.elicit_form("What shall we cook?", DINNER))
    if name == "greet":
        return text(f"Hello, {arguments['name']}!")
    context.experimental.validate_task_mode(types.TASK_REQUIRED)
    shared = str(uuid.uuid4()) if name == "shared_linger" else None
    return await context.experimental.run_task(lambda task: TASKS[name](task, arguments), task_id=shared)


class Served:
    """What serving.py wants of a server."""

    def run(self, **_):
        asyncio.run(self.over_stdio())

    async def over_stdio(self):
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())

    def http_app(self):
        manager = StreamableHTTPSessionManager(app=server)

        class Endpoint:
            async def __call__(self, scope, receive, send):
                await manager.handle_request(scope, receive, send)

        @contextlib.asynccontextmanager
        async def lifespan(_):
            async with manager.run():
                yield

        return Starlette(routes=[Route("/mcp", endpoint=Endpoint())], lifespan=lifespan)


serving.run(Served())
