"""A job that says when it runs, and goes on when a test lets it: nobody has to sleep."""

from __future__ import annotations

import os
from pathlib import Path


class Gate:
    """`code` is the job's; it tells its process id through one pipe and waits at another."""

    def __init__(self, folder: Path) -> None:
        self.here, self.go = str(folder / "here"), str(folder / "go")
        os.mkfifo(self.here)
        os.mkfifo(self.go)
        self.code = (
            "import os; "
            f"open({self.here!r}, 'w').write(str(os.getpid())); "
            f"return open({self.go!r}).read()"
        )

    def reached(self) -> int:
        """Wait until the job is here; its process id."""
        return int(Path(self.here).read_text())

    def let_through(self, word: str = "through") -> None:
        """Wait until the job waits, and hand it a word, which is its value."""
        Path(self.go).write_text(word)
