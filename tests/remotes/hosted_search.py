"""A hosted search as teams pay for it, small: one tool, on FastMCP of PyPI."""

import sys

from fastmcp import FastMCP

server = FastMCP("hosted search")

PAGES = [
    {
        "title": "Rolling upgrades",
        "source_url": "https://hosted.example/upgrade",
        "content": "Upgrade the brokers one at a time.",
    },
    {
        "title": "Install",
        "source_url": "https://hosted.example/install",
        "content": "Run the installer.",
    },
]


@server.tool
def search_knowledge_sources(query: str) -> list[dict[str, str]]:
    """Finds pages that have a word of the query."""
    if query == "break":
        raise RuntimeError("stack trace of theirs")
    words = query.lower().split()
    found = [page for page in PAGES if any(word in str(page).lower() for word in words)]
    return found


server.run(transport="http", host="127.0.0.1", port=int(sys.argv[1]), show_banner=False)
