"""What the Python programs share: steps in, sightings out."""

import asyncio
import json
import os
import sys

MCP_URL = os.environ["CLIENTS_MCP_URL"]
# The address of the client's metadata document, when it is to introduce itself with it.
DOCUMENT = os.environ.get("CLIENTS_DOCUMENT")
# What is read when a tool is called.
TOOL, ARGUMENTS = "read_page", {"path": "index.md"}

# The library's own output belongs elsewhere: this is where sightings go.
_told = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


async def steps():
    """The steps, as they are asked for."""
    while line := await asyncio.to_thread(sys.stdin.readline):
        yield line.strip()


def tell(step, **seen):
    """Says what a step showed."""
    _told.write(json.dumps({"did": step, **seen}) + "\n")
    _told.flush()


def text_of(content):
    """The text of a tool's answer."""
    return "\n".join(getattr(part, "text", "") for part in content)


async def obey(client, version):
    """Does a step for each line, until there are no more. A step that fails ends the program."""
    asked = steps()
    assert await anext(asked) == "connect"
    async with client:
        tell("connect", version=version)
        async for step in asked:
            if step == "list":
                tools = await client.list_tools()
                tell(step, tools=[tool.name for tool in getattr(tools, "tools", tools)])
            else:
                assert step == "call"
                answer = await client.call_tool(TOOL, ARGUMENTS)
                tell(step, text=text_of(answer.content))
