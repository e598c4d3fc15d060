"""What is drawn: nodes, edges and persons as frozen data.

With the formats they are written in, the small languages inside them, and their picture. Nothing
here knows how a node runs, and opening a diagram runs nothing. Start reading in `model.py`.
"""
