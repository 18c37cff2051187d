"""Run ``facesecure`` as ``python -m facesecure``."""

import sys

from facesecure.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
