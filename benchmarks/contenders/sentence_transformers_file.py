"""sentence-transformers from a file of a text a line to a file of vectors, start to end.

python -m contenders.sentence_transformers_file CHECKPOINT INPUT OUTPUT BATCH_SIZE
"""

import sys

import numpy as np
from sentence_transformers import SentenceTransformer

LONGEST = 256


def main(checkpoint, source, output, batch_size):
    """What its documentation would have a user write."""
    with open(source, encoding="utf-8") as file:
        texts = [line.rstrip("\n") for line in file]
    model = SentenceTransformer(checkpoint, device="cpu")
    model.max_seq_length = LONGEST
    vectors = model.encode(texts, batch_size=int(batch_size), normalize_embeddings=True)
    np.save(output, vectors)


if __name__ == "__main__":
    main(*sys.argv[1:])
