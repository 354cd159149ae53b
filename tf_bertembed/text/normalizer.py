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
from typing import NamedTuple

import flatbuffers
import numpy as np

from tf_bertembed.vectors.wordpiece import IDEOGRAPHS

REMOVED = {"Cc", "Cf", "Co"}
WHITE = "\t\n\r"
REPLACEMENT = "\ufffd"
# No other plane has characters that normalisation changes, the private ones (15, 16) left aside.
PLANES = (range(1, 0xD800), range(0xE000, 0x30000), range(0xE0000, 0xE1000))
PRIVATE = (range(0xF0000, 0x100000), range(0x100000, 0x110000))

REPLACED = 1 << 30
LENGTH_BITS = 6
HAS_VALUE = 1 << 8
IS_VALUE = 1 << 31
ROOT_BLOCK, BLOCK = 256, 64


class Rules(NamedTuple):
    """The flags of a published tokenizer.

    Attributes:
        lowercase: bool. Whether characters are lower-cased.
        strip_accents: bool. Whether they are decomposed (NFD) and freed of accents.
        split_chinese: bool. Whether each Chinese character is a word.
    """

    lowercase: bool = True
    strip_accents: bool = True
    split_chinese: bool = True


def normalize_character(character, rules):
    """What BERT makes of one character."""
    if character in ("\x00", REPLACEMENT) or (
        unicodedata.category(character) in REMOVED and character not in WHITE
    ):
        return ""
    if rules.strip_accents:
        decomposed = unicodedata.normalize("NFD", character)
        character = "".join(c for c in decomposed if unicodedata.category(c) != "Mn")
    return "".join(c.lower() for c in character) if rules.lowercase else character


@functools.cache
def _hidden():
    chinese = itertools.chain.from_iterable(range(first, last + 1) for first, last in IDEOGRAPHS)
    places = itertools.chain(*(range(plane[0], plane[-1] - 1) for plane in PRIVATE))
    return dict(zip(chinese, map(chr, places), strict=False))


def hide_chinese(text):
    """Put a private character in the place of each Chinese one.

    The WordPiece kernel splits at every Chinese character. Where it must not, neither text nor
    vocabulary may hold them; private characters cannot come from a text, which loses its own.
    """
    return text.translate(_hidden())


@functools.lru_cache(maxsize=8)
def normalizer_model(rules):
    """The bytes of the model that follows the rules."""
    offsets, pool, trie = {}, bytearray(), _Trie()
    # Half a megabyte for what no text has, unless something hides there.
    planes = PLANES if rules.split_chinese else (*PLANES, *PRIVATE)
    for character in map(chr, itertools.chain(*planes)):
        replacement = normalize_character(character, rules)
        if not rules.split_chinese:
            replacement = hide_chinese(replacement)
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
    builder.PrependBoolSlot(0, rules.lowercase, False)
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
