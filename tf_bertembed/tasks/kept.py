"""What takes long to make, and is made again only where it would come out otherwise."""


class Kept:
    """Keeps one thing, and what it was made of.

    An object of its own, so that Keras does not take what it keeps for a part
    of a model.
    """

    def __init__(self):
        # One object that is replaced whole, since threads may call at the same time.
        self._made = None, None

    def get(self, made_of, make):
        """What `make()` gives, made anew where the tuple `made_of` is not that of before."""
        known, made = self._made
        if known != made_of:
            made = make()
            self._made = made_of, made
        return made
