"""`python -m tf_bertembed`, the same as the command `tf-bertembed`."""

import sys

from tf_bertembed.cli import main

if __name__ == "__main__":
    sys.exit(main())
