"""What a tokenizer tells of its vocabulary, and how it is stored."""

from pathlib import Path

from tf_bertembed import common
from tf_bertembed.text.vocabulary import load_vocabulary, save_vocabulary

VOCABULARY_FILE = "vocabulary.txt"


class VocabularyAccess:
    """The part of a tokenizer that knows pieces by their ids and ids by their pieces.

    The tokenizer has `set_vocabulary`, which gives `_vocabulary`, the list of pieces or `None`,
    and `_ids`, a dict from piece to id.
    """

    def get_vocabulary(self):
        """List the pieces in the order of their ids."""
        self._require_vocabulary()
        return list(self._vocabulary)

    def vocabulary_size(self):
        """Count the pieces."""
        self._require_vocabulary()
        return len(self._vocabulary)

    def id_to_token(self, id):
        """Give the piece of an id."""
        if not 0 <= id < self.vocabulary_size():
            raise common.BertEmbedError(
                f"`id` must be in range [0, {self.vocabulary_size() - 1}]. Received: {id}"
            )
        return self._vocabulary[id]

    def token_to_id(self, token):
        """Give the id of a piece."""
        self._require_vocabulary()
        if token not in self._ids:
            raise common.BertEmbedError(f"The vocabulary has no piece {token!r}.")
        return self._ids[token]

    def save_assets(self, dir_path):
        """Write the vocabulary into a folder; Keras calls this on saving.

        Args:
            dir_path: string. The folder.

        Example:

        ```python
        import os
        from tf_bertembed import text

        text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "one"]).save_assets(".")
        assert os.path.exists("vocabulary.txt")
        ```
        """
        save_vocabulary(self.get_vocabulary(), Path(dir_path) / VOCABULARY_FILE, overwrite=True)

    def load_assets(self, dir_path):
        """Take the vocabulary from a folder; Keras calls this on loading.

        Args:
            dir_path: string. The folder.

        Example:

        ```python
        from tf_bertembed import text

        text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "one"]).save_assets(".")
        tokenizer = text.BertEmbedTokenizer()
        tokenizer.load_assets(".")
        assert tokenizer.pad_token_id == 0
        ```
        """
        self.set_vocabulary(load_vocabulary(Path(dir_path) / VOCABULARY_FILE))

    def _require_vocabulary(self):
        if self._vocabulary is None:
            raise common.BertEmbedError(
                "No vocabulary has been set for BertEmbedTokenizer. Make sure to pass a "
                "`vocabulary` argument when creating the layer."
            )
