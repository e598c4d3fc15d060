"""How two diagrams are compared, in steps that know little of each other.

`references` knows where a node or a person is named inside others, `matching` finds out who was
renamed, `walking` compares values, `change` is what comes out, `wording` says it in words. Start
reading in `diff`, one floor up, which puts the steps together.
"""
