"""The Python SDK 2.3 as a server of both eras; it has no tasks: `sdk2.py http` or `sdk2.py stdio`."""

from typing import Annotated

import serving
from mcp.server.elicitation import ElicitationResult
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.resolve import Elicit, Resolve
from pydantic import BaseModel, Field

mcp = MCPServer("python kitchen 2")


class Dinner(BaseModel):
    vegetarian: bool
    cuisine: str = Field(min_length=3)


class Word(BaseModel):
    word: str


async def which_dinner() -> Elicit[Dinner]:
    return Elicit("What shall we cook?", Dinner)


async def first_word() -> Elicit[Word]:
    return Elicit("First word?", Word)


async def second_word(first: Annotated[Word, Resolve(first_word)]) -> Elicit[Word]:
    return Elicit(f"And after {first.word}?", Word)


@mcp.tool()
async def ask_now(answer: Annotated[ElicitationResult[Dinner], Resolve(which_dinner)]) -> str:
    if answer.action != "accept":
        return f"no dinner: {answer.action}"
    return f"{answer.data.cuisine}, vegetarian: {answer.data.vegetarian}"


@mcp.tool()
async def ask_twice(
    first: Annotated[Word, Resolve(first_word)], second: Annotated[Word, Resolve(second_word)]
) -> str:
    return f"{first.word} {second.word}"


@mcp.tool()
async def greet(name: str) -> str:
    return f"Hello, {name}!"


@mcp.tool()
async def explode() -> str:
    raise RuntimeError("the kitchen is on fire")


class Served:
    """What serving.py wants of a server."""

    def run(self, **_):
        mcp.run(transport="stdio")

    def http_app(self):
        return mcp.streamable_http_app()


serving.run(Served())
