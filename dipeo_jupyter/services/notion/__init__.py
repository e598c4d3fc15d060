"""Notion, through its own client: reads and writes pages, blocks and databases.

`service` fulfils the port, `operations` are what it can do, `writing` those of them that add
something, `sources` the tables of databases. `session` is one open client and how its errors are
told, `arguments` finds ids in links. `blocks` cuts what is to be written into requests that Notion
takes, `markdown` makes blocks of text.
"""

from .service import API_VERSION, NotionService

__all__ = ["API_VERSION", "NotionService"]
