"""What `python -m` runs."""

import sys

from .cli import main

sys.exit(main())
