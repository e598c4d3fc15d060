"""How a picture of a diagram comes about, in steps that know nothing of each other's insides.

`ranks` says how far along each box stands, `ordering` what stands above what and `lanes` where
edges pass between boxes, `alignment` how far apart, `ports` where edges leave and enter,
`tracks` which bend comes first, `bands` how a long drawing is folded, `geometry` what comes out;
`text` and `glyphs` are for the pen. `layout` and `picture`, one floor up, put the steps together:
start reading there. All of it is arithmetic: no randomness, no recursion, nothing outside the
standard library.
"""
