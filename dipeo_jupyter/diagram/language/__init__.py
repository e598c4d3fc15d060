"""What expressions and templates are made of: their grammar, functions, filters and limits.

Nothing here runs code of a diagram or looks into Python objects; values are JSON. The ways in are
`..expression` and `..template`.
"""
