"""PyPI mcp, the official Python SDK."""

import asyncio
import webbrowser
from importlib.metadata import version
from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp import Client
from mcp.client.auth import OAuthClientProvider, TokenStorage
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata
from steps import DOCUMENT, MCP_URL, obey


class Memory(TokenStorage):
    """Remembers for as long as the program runs."""

    tokens = None
    client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client_info):
        self.client = client_info


class Redirect:
    """Where the browser comes back to."""

    def __init__(self):
        self.arrived = asyncio.Queue()

    async def listen(self):
        """The redirect URI."""
        server = await asyncio.start_server(self.answer, "127.0.0.1", 0)
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/callback"

    async def answer(self, reader, writer):
        path = (await reader.readline()).decode().split(" ")[1]
        while (await reader.readline()).strip():
            pass
        is_ours = urlsplit(path).path == "/callback"
        status = "200 OK" if is_ours else "404 Not Found"
        head = f"HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        writer.write(head.encode())
        await writer.drain()
        writer.close()
        if is_ours:
            self.arrived.put_nowait(parse_qs(urlsplit(path).query))

    async def next(self):
        """What the next redirect carries."""
        answer = await self.arrived.get()
        first = {name: values[0] for name, values in answer.items()}
        return AuthorizationCodeResult(
            code=first["code"], state=first.get("state"), iss=first.get("iss")
        )


async def open_browser(address):
    webbrowser.open(address)


async def main():
    redirect = Redirect()
    auth = OAuthClientProvider(
        server_url=MCP_URL,
        client_metadata=OAuthClientMetadata(
            client_name="Client of a test",
            redirect_uris=[await redirect.listen()],
            grant_types=["authorization_code", "refresh_token"],
            response_types=["code"],
        ),
        storage=Memory(),
        redirect_handler=open_browser,
        callback_handler=redirect.next,
        client_metadata_url=DOCUMENT,
    )
    async with httpx2.AsyncClient(auth=auth, timeout=45) as http:
        transport = streamable_http_client(MCP_URL, http_client=http)
        await obey(Client(transport), version("mcp"))


asyncio.run(main())
