"""Many texts cut into pieces once, to be batched by their lengths afterwards."""

import numpy as np

CHUNK = 512


class PackedTexts:
    """The features of many texts, without padding.

    Every text is cut into pieces exactly once. Then its length is known, so
    that batches can be made by `piece_batches`, and the features of any batch
    are gathered out of flat arrays.

    Args:
        preprocessor: `Preprocessor`. Its length, padding and words are used.
        texts: sequence of N strings, or a tuple of two such for pairs.

    Attributes:
        lengths: int64 array `[N]`. The pieces of each text after truncation,
            special tokens included.

    Raises:
        BertEmbedError: where `texts` is nothing that the preprocessor takes.

    Example:

    ```python
    from tf_bertembed import text

    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "a", "b"])
    packed = text.PackedTexts(text.Preprocessor(tokenizer, 8), ["a", "a b a b", "b"])
    assert packed.lengths.tolist() == [3, 6, 3]
    batches = text.piece_batches(packed.lengths, max_pieces=8)
    assert packed.features(batches[1])["token_ids"].tolist() == [[2, 5, 3], [2, 6, 3]]
    ```
    """

    def __init__(self, preprocessor, texts):
        columns = [list(column) for column in (texts if isinstance(texts, tuple) else (texts,))]
        parts = []
        for begin in range(0, max(map(len, columns)), CHUNK):
            chunk = tuple(column[begin : begin + CHUNK] for column in columns)
            features = preprocessor(chunk if len(chunk) > 1 else chunk[0], y=None)
            parts.append({name: value.numpy() for name, value in features.items()})
        fixed = preprocessor.padding == "max_length"
        self._width = preprocessor.sequence_length if fixed else None
        masks = [part.pop("padding_mask") for part in parts]
        # A place behind the last piece for all that is padding.
        pad = {"token_ids": preprocessor.tokenizer.pad_token_id}
        self._values = {
            name: np.concatenate(
                [
                    *(part[name][mask] for part, mask in zip(parts, masks, strict=True)),
                    [pad.get(name, 0)],
                ],
                dtype=np.int32,
            )
            for name in (parts[0] if parts else ())
        }
        counts = [mask.sum(axis=1, dtype=np.int64) for mask in masks]
        self.lengths = np.concatenate(counts) if counts else np.zeros(0, np.int64)
        self._starts = np.cumsum(self.lengths) - self.lengths

    def __len__(self):
        return len(self.lengths)

    def features(self, rows):
        """Make the features of some of the texts.

        Args:
            rows: int array `[B]`. The places of the texts.

        Returns:
            A dict of arrays `[B, T]`: what the preprocessor makes of these
            texts when it is given them alone.

        Example:

        ```python
        from tf_bertembed import text

        tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "a", "b"])
        packed = text.PackedTexts(text.Preprocessor(tokenizer, 8), ["a", "b b"])
        features = packed.features([1, 0])
        assert features["token_ids"].tolist() == [[2, 6, 6, 3], [2, 5, 3, 0]]
        ```
        """
        rows = np.asarray(rows, np.int64)
        lengths = self.lengths[rows]
        columns = np.arange(self._width or max(2, lengths.max(initial=0)))
        mask = columns < lengths[:, np.newaxis]
        place = np.where(mask, self._starts[rows][:, np.newaxis] + columns, -1)
        features = {name: values[place] for name, values in self._values.items()}
        return features | {"padding_mask": mask}
