"""Which old pieces a new piece is: one of them, or several in a row."""

from tf_bertembed.vectors import wordpiece

COPYING = ("agreeing", "letterless", "special")


def match_pieces(old, new, copying="agreeing"):
    """Find for new pieces the old piece that is the same.

    A special token is only ever the one of the same name. Another piece is
    the same string; else the one that differs in case only, else in case,
    accents or compatibility forms, the first of several. A piece with `##`
    is never one without, since the one continues words and the other begins
    them.

    Args:
        old: list of strings. The old vocabulary.
        new: list of strings. The new vocabulary.
        copying: string. `"agreeing"` for all such pieces; `"letterless"` for
            those that have no letter, such as numbers and punctuation, which
            mean the same in other languages; `"special"` for special tokens
            alone.

    Returns:
        A pair of dicts from new to old ids: of the same strings, and of those
        that differ in case or accents.
    """
    ids = {piece: index for index, piece in enumerate(old)}
    same, alike, left = {}, {}, []
    for index, piece in enumerate(new):
        special = wordpiece.SPECIAL.fullmatch(piece)
        if not special and not _may_copy(piece, copying):
            continue
        if piece in ids:
            same[index] = ids[piece]
        elif not special:
            left.append(index)
    for form in (str.lower, wordpiece.normalise):
        if not left:
            break
        forms = {}
        for piece, index in ids.items():
            if not wordpiece.SPECIAL.fullmatch(piece):
                forms.setdefault(form(piece), index)
        alike |= {i: forms[form(new[i])] for i in left if form(new[i]) in forms}
        left = [index for index in left if index not in alike]
    return same, alike


def _may_copy(piece, copying):
    if copying == "agreeing":
        return True
    return copying == "letterless" and not any(character.isalpha() for character in piece)


def cut_by(old, asked):
    """Cut pieces into old pieces, as the tokenizer of the old vocabulary would.

    A piece with `##` is cut as what follows in a word, any other as what
    begins one; where that cannot be, as the other. Where the old vocabulary
    has no letter in upper case, the text is lower-cased and its accents are
    removed first.

    Args:
        old: list of strings. The old vocabulary.
        asked: list of strings. The pieces to cut.

    Returns:
        A list of lists of old ids; empty where the old vocabulary lacks a
        letter.
    """
    cutter = wordpiece.Cutter(old)
    found = []
    for piece in asked:
        letters = piece.removeprefix(wordpiece.CONTINUATION) or piece
        if cutter.lowercase:
            letters = wordpiece.uncased(letters)
        begins = letters == piece or not piece.startswith(wordpiece.CONTINUATION)
        cuts = (cutter.cut(letters, inside) for inside in (not begins, begins))
        found.append(next(filter(None, cuts), []))
    return found
