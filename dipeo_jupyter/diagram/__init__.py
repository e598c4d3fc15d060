"""What is drawn: nodes, edges and persons as frozen data.

Start reading in `model.py`. `files.py` reads and writes it in three formats (`light/`, `readable/`,
`native/`), of which each says all that is wrong with a text (`source.py`, `report.py`; the codes
are explained in `rules`). `edit/` changes a file and keeps the rest of its text, `diff.py`
compares (`diffing/`), `completion/` helps while one is typed. `template.py` and `expression.py` are
the small languages inside (`language/`); `layout.py`, `picture.py` and `mermaid.py` draw
(`drawing/`). Nothing here knows how a node runs, and opening a diagram runs nothing.
"""
