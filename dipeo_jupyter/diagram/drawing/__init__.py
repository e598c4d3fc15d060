"""How a picture of a diagram comes about, in steps that know little of each other.

Where things stand: `ranks` (how far along each box is), `ordering` (what is above what), `bands`
(how a long drawing is folded), `lanes` (where edges pass between boxes), `ports` (where they leave
and enter), `alignment` (how far apart things are), `tracks` and `nets` (which bend comes first),
`routing` (all of it as boxes and lines); `placed` does the same for places that a file gives, and
`dense` something simpler for more edges than anybody could follow. `flow` says which way is along,
`geometry` what comes out. How things look: `text`, `glyphs`, `palette`, `pen`. Start reading in
`layout` and `picture`, one floor up, which put the steps together.
All is arithmetic: nothing random, no recursion, nothing outside the standard library.
"""
