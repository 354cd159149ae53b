"""Labels of the points on a map: in a font that has their glyphs, and apart."""

import unicodedata

import numpy as np

from tf_bertembed import common

SIZE = 8
GAP = 4
# Right, left, above, below, then the corners: the side of the point a label goes to.
SIDES = np.array([(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1)])


def choose(words, font=None):
    """Find fonts for words; a word that has no font is labelled by its number.

    Args:
        words: list of strings.
        font: string or `pathlib.Path`. A font file to use beside the default
            font; `None` to search the installed ones.

    Returns:
        A list of labels, and the list of the font families that draw them.
    """
    from matplotlib import font_manager, ft2font

    manager = font_manager.fontManager
    default = font_manager.findfont(font_manager.FontProperties())
    families = [font_manager.get_font(default).family_name]
    left = {letter for word in words for letter in word if _is_seen(letter)}
    left -= _drawn(ft2font, default, left)
    if font is not None:
        path = common.require_file(font, "Give a font file, .ttf or .otf.")
        try:
            left -= _drawn(ft2font, path, left)
            manager.addfont(path)
        except (RuntimeError, OSError) as error:
            raise common.FileFormatError(path, f"A font was expected: {error}") from error
        families.append(font_manager.get_font(path).family_name)
    for entry in manager.ttflist if font is None else ():
        if not left:
            break
        # The last resort has a box for every letter.
        if entry.name in families or entry.name.startswith("Last Resort"):
            continue
        if drawn := _drawn(ft2font, entry.fname, left):
            left -= drawn
            families.append(entry.name)
    return [str(n) if left & set(word) else word for n, word in enumerate(words, 1)], families


def _is_seen(letter):
    return not letter.isspace() and unicodedata.category(letter) not in ("Cc", "Cf")


def _drawn(ft2font, path, letters):
    font = ft2font.FT2Font(str(path))
    return {letter for letter in letters if font.get_char_index(ord(letter))}


def place(axis, points, labels, families):
    """Write each label beside its point, on the side where it covers least.

    Args:
        axis: matplotlib `Axes` of a figure that has a canvas, its points drawn.
        points: float array of shape [N, 2].
        labels: list of N strings.
        families: list of strings. The font families, the first that has a
            glyph draws it.
    """
    figure = axis.figure
    texts = [
        axis.annotate(
            label,
            point,
            xytext=(0, 0),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=SIZE,
            fontfamily=families,
            parse_math=False,
        )
        for label, point in zip(labels, points, strict=True)
    ]
    # The layout has to stand before anything is measured in pixels.
    figure.draw_without_rendering()
    pixels = figure.dpi / 72
    spots = axis.transData.transform(points)
    sizes = np.array([text.get_window_extent().size for text in texts])
    taken = np.empty((0, 4))
    for text, spot, size in zip(texts, spots, sizes, strict=True):
        shifts = SIDES * (size / 2 + GAP * pixels)
        boxes = np.hstack([spot + shifts - size / 2, spot + shifts + size / 2])
        best = np.argmin(
            10 * _overlaps(boxes, taken)
            + _overlaps(boxes, np.hstack([spots, spots]))
            + 10 * ~_inside(boxes, axis.bbox)
        )
        taken = np.vstack([taken, boxes[best]])
        text.set_position(shifts[best] / pixels)


def _overlaps(boxes, others):
    """How many of the others each box of (left, bottom, right, top) covers in part."""
    apart = (boxes[:, None, :2] > others[None, :, 2:]) | (boxes[:, None, 2:] < others[None, :, :2])
    return (~apart.any(axis=2)).sum(axis=1)


def _inside(boxes, area):
    return (boxes[:, :2] >= area.min).all(axis=1) & (boxes[:, 2:] <= area.max).all(axis=1)
