"""One seed for everything that is random."""

import hashlib


def derive_seed(seed, *names):
    """Derive a seed for one purpose from the user's seed.

    The same arguments give the same seed on every machine and Python version;
    different names give unrelated streams.

    Args:
        seed: int. The user's seed.
        *names: strings or ints. The purpose, for example `"masks", epoch`.

    Returns:
        An int from 0 to 2**31 - 1, which NumPy, TensorFlow and Keras accept.

    Example:

    ```python
    from tf_bertembed import common

    assert common.derive_seed(7, "masks", 0) == common.derive_seed(7, "masks", 0)
    assert common.derive_seed(7, "masks", 0) != common.derive_seed(7, "masks", 1)
    ```
    """
    text = "\x1f".join(str(part) for part in (seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1
