"""How does ``python -m calward`` start? As ``calward`` does."""

import sys

from calward.bootstrap.program import main

if __name__ == "__main__":
    sys.exit(main())
