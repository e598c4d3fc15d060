"""Kernels whose ipykernel is another release than the one that is installed here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

INSTALLED = "installed"
RELEASES = ("6.31.0", "7.0.1", "7.1.0", "7.2.0", "7.3.0", "7.4.0")
"""The last one before 7, and the last one of each line of 7: each hears widgets in another way."""


def kernel_with(release: str, data: Path) -> str:
    """Have a kernel of this release in a Jupyter data folder; its name there.

    Nothing but the release is put before what is installed, so this takes about a second.
    """
    if release == INSTALLED:
        return "python3"
    name = f"ipykernel-{release}"
    spec = data / "kernels" / name
    if spec.exists():
        return name
    packages = data / "releases" / release
    pip = (sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(packages))
    subprocess.run([*pip, f"ipykernel=={release}"], check=True, capture_output=True, timeout=120)
    spec.mkdir(parents=True)
    (spec / "kernel.json").write_text(
        json.dumps(
            {
                "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
                "display_name": name,
                "language": "python",
                "interrupt_mode": "signal",
                "env": {"PYTHONPATH": str(packages)},
            }
        )
    )
    return name
