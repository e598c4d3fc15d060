"""What is wrong with a diagram, by what is looked at; start reading in `compile.py`.

`settings` looks at one node, `texts` at its templates and expressions, `edges` at one connection,
`persons` at one person. `flow`, `labels` and `names` look at the whole graph, and only say what
makes sense when none of it is missing. The codes are explained in `diagram/rules`.
"""
