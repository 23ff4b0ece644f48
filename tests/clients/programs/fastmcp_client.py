"""PyPI fastmcp, its client, which opens the browser and awaits the way back by itself."""

import asyncio
from importlib.metadata import version

from fastmcp import Client
from fastmcp.client.auth import OAuth
from steps import DOCUMENT, MCP_URL, obey

client = Client(MCP_URL, auth=OAuth(client_metadata_url=DOCUMENT))
asyncio.run(obey(client, version("fastmcp")))
