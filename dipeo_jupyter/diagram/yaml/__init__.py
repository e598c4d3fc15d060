"""YAML, read with limits and with the place of every value, and written so that it reads back.

Text from strangers is bounded before anything is built from it; mistakes are explained in plain
words. `..source` is the way in.
"""
