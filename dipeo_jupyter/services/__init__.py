"""The outside world: models, files, processes, Notion, the journal.

Each module fulfils a port of `engine/ports` by its shape, and puts foreign errors into our words
at the border. Services do not know nodes, nor each other.
"""
