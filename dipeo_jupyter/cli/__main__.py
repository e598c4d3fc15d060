"""`python -m dipeo_jupyter.cli`, where the command `dipeo` is not on the path."""

import sys

from . import main

sys.exit(main())
