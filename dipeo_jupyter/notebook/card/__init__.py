"""What a notebook shows of a run: a card while it goes on, and what is left of it in the file.

`showing.py` decides what is shown, and keeps it up to date. A card is an `interactive.py` one where
its JavaScript is installed, else a `plain.py` one; what people do there comes as commands, which
`obeying.py` has obeyed. `content.py` is what a card knows, `cutting.py` keeps that small,
`static.py` and `table.py` are for readers without JavaScript. Start reading in `showing.py`.

Before a run there may be a question, whether its diagram is trusted: `trusting.py` puts it, on
`trust_card.py`.
"""
