"""How two runs are compared, in steps that know little of each other.

`aligning` finds out which activations belong together, `comparing` what differs between two of
them, `activation` is what comes out, `wording` says it in words, `showing` as text and as HTML.
Nothing here waits or sends: a history goes in, data comes out. Start reading in `run_diff`, one
floor up, which puts the steps together.
"""
