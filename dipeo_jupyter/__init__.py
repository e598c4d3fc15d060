"""Agent-workflow diagrams that live in Jupyter."""

__version__ = "0.1.0"
