"""Words found among word vectors: as written, in another case, or nearly so."""

import difflib

SUGGESTIONS = 3
# Rarer words are seldom meant, and comparing with all of them takes seconds.
COMPARED = 100_000


def find_words(keyed_vectors, words, case_sensitive=False):
    """Dict from each word that is there to how it is spelled there.

    As written where that is there; else the most frequent word that differs
    in case only, unless `case_sensitive`.
    """
    known = keyed_vectors.key_to_index
    found = {word: word for word in words if word in known}
    if not case_sensitive:
        left = {word: word.lower() for word in words if word not in found}
        variants = _by_lower_case(keyed_vectors, left.values())
        found |= {word: variants[low][0] for word, low in left.items() if low in variants}
    return found


def suggest(keyed_vectors, word):
    """A few words of the vocabulary that may be meant, case variants first."""
    found = _by_lower_case(keyed_vectors, [word.lower()]).get(word.lower(), [])[:SUGGESTIONS]
    near = [
        key
        for key in keyed_vectors.index_to_key[:COMPARED]
        if abs(len(key) - len(word)) <= 1 and key not in found
    ]
    return [*found, *difflib.get_close_matches(word, near, SUGGESTIONS)][:SUGGESTIONS]


def _by_lower_case(keyed_vectors, wanted):
    variants = {}
    if wanted := set(wanted):
        for key in keyed_vectors.index_to_key:
            low = key.lower()
            if low in wanted:
                variants.setdefault(low, []).append(key)
    return variants
