"""The notebook's face: magics, and the `Run` that people hold.

Only `magics.py` knows IPython; the rest works in any Python program. Nothing in here decides
anything about a run: it sends commands and adds up events. Start reading in `api.py`.
"""
