"""The types of what cards leave in a notebook's output."""

WIDGET = "application/vnd.jupyter.widget-view+json"
MIME = "application/vnd.dipeo.run+json"
"""Who shows this prefers a card that lives, then the run that was kept, then what is `told`."""
VERSION = 1
