"""How long `import dipeo_jupyter` and `%load_ext dipeo_jupyter` take, over bare IPython.

    python tests/benchmarks/bench_import.py [--repeat 9]

Each figure is a new interpreter; the variants alternate, and the median is printed.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys

BUDGET = 150.0
"""Milliseconds over bare IPython."""

SHELL = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
"""
VARIANTS = {
    "bare IPython": "",
    "import dipeo_jupyter": "import dipeo_jupyter",
    "%load_ext dipeo_jupyter": "shell.run_line_magic('load_ext', 'dipeo_jupyter')",
    "first run of a diagram": "shell.run_line_magic('load_ext', 'dipeo_jupyter')\n"
    "import dipeo_jupyter\n"
    "dipeo_jupyter.run_sync('nodes: [{label: s, type: start}]\\n')",
}
TIMED = """
import time
began = time.perf_counter()
{code}
print((time.perf_counter() - began) * 1000)
"""


def measure(code: str) -> float:
    """Milliseconds that `code` takes in a new interpreter in which IPython is up."""
    program = SHELL + TIMED.format(code=code)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return float(done.stdout.split()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=9)
    repeat = parser.parse_args().repeat
    times: dict[str, list[float]] = {name: [] for name in VARIANTS}
    for _ in range(repeat):
        for name, code in VARIANTS.items():
            times[name].append(measure(code))
    print("| what                    |     ms |")
    print("|-------------------------|--------|")
    for name, each in times.items():
        median = statistics.median(each)
        late = name in list(VARIANTS)[1:3] and median > BUDGET
        print(f"| {name:<23} | {median:>6.1f} |{' over budget' if late else ''}")


if __name__ == "__main__":
    main()
