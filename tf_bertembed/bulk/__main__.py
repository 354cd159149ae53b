"""`python -m tf_bertembed.bulk`: files of texts to files of vectors."""

import sys

from tf_bertembed.bulk.command import main

if __name__ == "__main__":
    sys.exit(main())
