"""BERT's own normalisation, as a model for the kernel `FastBertNormalizer`.

The model that `tensorflow_text` builds by itself folds compatibility characters (NFKC): in Chinese
text a full-width comma becomes an ASCII one, which is another piece of the vocabulary. Published
BERT models were trained without that, so the kernel is given a model of the published rules.

A model is a FlatBuffer of four fields: a flag, a double-array trie (layout of darts-clone) from the
UTF-8 bytes of a character to where its replacement stands in a pool of strings, the same for
character 0, which the trie cannot hold, and the pool.

Source: fast_bert_normalizer.h and darts_clone_trie_wrapper.h of https://github.com/tensorflow/text.
"""

import functools
import itertools
import unicodedata

import flatbuffers
import numpy as np

REMOVED = {"Cc", "Cf", "Co"}
WHITE = "\t\n\r"
REPLACEMENT = "\ufffd"
# No other plane has characters that normalisation changes, the private ones (15, 16) left aside.
PLANES = (range(1, 0xD800), range(0xE000, 0x30000), range(0xE0000, 0xE1000))

REPLACED = 1 << 30
LENGTH_BITS = 6
HAS_VALUE = 1 << 8
IS_VALUE = 1 << 31
ROOT_BLOCK, BLOCK = 256, 64


def normalize_character(character, lowercase):
    """What BERT makes of one character."""
    if character in ("\x00", REPLACEMENT) or (
        unicodedata.category(character) in REMOVED and character not in WHITE
    ):
        return ""
    if not lowercase:
        return character
    decomposed = unicodedata.normalize("NFD", character)
    return "".join(c.lower() for c in decomposed if unicodedata.category(c) != "Mn")


@functools.lru_cache(maxsize=2)
def normalizer_model(lowercase):
    """The bytes of the model, for text that is lower-cased and freed of accents or is not."""
    offsets, pool, trie = {}, bytearray(), _Trie()
    for character in map(chr, itertools.chain(*PLANES)):
        replacement = normalize_character(character, lowercase)
        if replacement == character:
            continue
        encoded = replacement.encode()
        if encoded not in offsets:
            offsets[encoded] = len(pool)
            pool += encoded
        trie.add(character.encode(), REPLACED | offsets[encoded] << LENGTH_BITS | len(encoded))
    builder = flatbuffers.Builder(1 << 20)
    units = builder.CreateNumpyVector(trie.units())
    strings = builder.CreateNumpyVector(np.frombuffer(bytes(pool) or b" ", np.uint8))
    builder.StartObject(4)
    builder.PrependBoolSlot(0, lowercase, False)
    builder.PrependUOffsetTRelativeSlot(1, units, 0)
    builder.PrependInt32Slot(2, REPLACED, 0)
    builder.PrependUOffsetTRelativeSlot(3, strings, 0)
    builder.Finish(builder.EndObject())
    return bytes(builder.Output())


class _Trie:
    """A double-array trie of UTF-8 characters.

    The children of a node stand at `node ^ offset ^ byte`. Continuation bytes span 64 values, so
    every node gets an aligned block of its own and no two can collide.
    """

    def __init__(self):
        self._end = 2 * ROOT_BLOCK
        self._blocks = {b"": ROOT_BLOCK}
        self._nodes, self._values = {}, {}

    def add(self, key, value):
        """Map the bytes of a character to a value of 31 bits."""
        for length in range(1, len(key)):
            prefix = key[:length]
            if prefix not in self._blocks:
                self._blocks[prefix] = self._end
                self._nodes[self._place(prefix)] = (prefix[-1], self._end, 0)
                self._end += BLOCK
        self._values.setdefault(value, len(self._values))
        self._nodes[self._place(key)] = (key[-1], value, HAS_VALUE)

    def _place(self, key):
        block = self._blocks[key[:-1]]
        return block + (key[-1] if len(key) == 1 else key[-1] & 0x3F)

    def units(self):
        """The array of uint32 units: nodes, then values."""
        units = np.zeros(self._end + len(self._values), np.uint32)
        units[0] = ROOT_BLOCK << 10
        for place, (label, target, flag) in self._nodes.items():
            if flag:
                base = self._end + self._values[target]
            else:
                # Continuation bytes are 0x80 to 0xBF: the block stands at base ^ 0x80.
                base = target ^ 0x80
            units[place] = (place ^ base) << 10 | flag | label
        for value, index in self._values.items():
            units[self._end + index] = value | IS_VALUE
        return units
