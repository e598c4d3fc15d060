"""The Jupyter server's face. Start reading in `extension.py`."""
