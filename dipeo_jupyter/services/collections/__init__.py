"""Collections: tables of SQLite, PostgreSQL and whatever else SQLAlchemy knows.

`service` does what nodes ask for, in threads; `databases` says which databases there are and opens
them; `reading` keeps a query from changing anything, `putting` adds rows to what `tables` finds or
makes; `columns` knows what a column holds; `plain` makes JSON of what a database gives; `trouble`
puts the errors of drivers into our words. SQLAlchemy is imported when a database is opened for the
first time.
"""

from .service import SqlCollections

__all__ = ["SqlCollections"]
