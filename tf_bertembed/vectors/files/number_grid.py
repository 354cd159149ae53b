"""Decimal numbers of many lines of text at once, by arithmetic on arrays of their bytes."""

import numpy as np

SPACE, NEWLINE, DOT, MINUS, ZERO = b" \n.-0"

# A double holds each whole number below it, and each of these powers, exactly. A quotient of two
# such is the double nearest to the decimal, which is what `float` gives.
EXACT = float(1 << 53)
POWERS = 10.0 ** np.arange(17)

# Bytes are read eight at a time as little-endian numbers, the last digit in the highest byte.
EIGHT = np.dtype("<u8")
KEEP_LAST = np.array([((1 << 8 * n) - 1) << (64 - 8 * n) for n in range(9)], EIGHT)
ALL_ZEROS = np.uint64(0x3030303030303030)
ABOVE_NINE = np.uint64(0x7676767676767676)
HIGH_BITS = np.uint64(0x8080808080808080)


class NumberGrid:
    """The lines of a block of text that are a word and so many plain decimals.

    A plain decimal has a point, and no sign but a minus. Everything else is
    left to the caller: lines of another form, and single numbers, by place.

    Args:
        block: bytes. Whole lines, each with its line feed.
        width: int. Numbers in a line, S.
    """

    def __init__(self, block, width):
        # Eight bytes before, so that there are eight before each place, and whole eights.
        padded = np.empty(len(block) // 8 * 8 + 24, np.uint8)
        padded[:8] = ZERO
        padded[8 : 8 + len(block)] = np.frombuffer(block, np.uint8)
        self._block = block
        self._bytes = padded[8 : 8 + len(block)]
        self._eights = padded.view(EIGHT)
        marks = np.flatnonzero((self._bytes <= SPACE) | (self._bytes == DOT))
        kinds = self._bytes.take(marks)
        ends = np.flatnonzero(kinds == NEWLINE)
        self._line_ends = marks.take(ends)
        self._line_starts = np.concatenate(([0], self._line_ends[:-1] + 1))
        # Counted from the end of a line, since its word may hold spaces and points.
        places = ends[:, None] + np.arange(-2 * width, 1)
        first = np.concatenate(([-1], ends[:-1]))
        pattern = np.array([SPACE, *[DOT, SPACE] * (width - 1), DOT, NEWLINE], np.uint8)
        # Where the first line is short, a place may lie before the block.
        self._marks = marks.take(places, mode="clip")
        fits = (kinds.take(places, mode="clip") == pattern).all(axis=1)
        fits &= (places[:, 0] > first) & (self._marks[:, 0] > self._line_starts)
        self.fits = fits

    def line(self, row):
        """The bytes of a line, without its line feed."""
        return self._block[self._line_starts[row] : self._line_ends[row]]

    def words(self):
        """List the words of the lines as bytes; those of lines that do not fit mean nothing."""
        block = self._block
        starts, ends = self._line_starts.tolist(), self._marks[:, 0].tolist()
        return [block[start:end] for start, end in zip(starts, ends, strict=True)]

    def text(self, row, column):
        """The bytes of one number in a line that fits."""
        marks = self._marks[row, 2 * column : 2 * column + 3]
        return self._block[marks[0] + 1 : marks[2]]

    def values(self, rows):
        """Read the numbers of lines that fit.

        Args:
            rows: int array of shape [R]. The lines.

        Returns:
            A float32 array of shape [R, S], and a bool array of that shape:
            True where a number is no plain decimal, or too long, and the value
            means nothing.
        """
        marks = self._marks if len(rows) == len(self._marks) else self._marks[rows]
        starts, dots, ends = (marks[:, i : i - 2 or None : 2].ravel() for i in (0, 1, 2))
        starts += 1
        negative = self._bytes.take(starts) == MINUS
        before = dots - starts
        before -= negative
        after = ends - dots
        after -= 1
        fraction, odd = self._digits(ends, after)
        whole = self._bytes.take(dots - 1)
        whole -= np.uint8(ZERO)
        odd |= whole > 9
        scale = POWERS.take(after, mode="clip")
        found = whole * scale
        found += fraction
        long = np.flatnonzero((before != 1) | (after > 8))
        if len(long):
            found[long], odd[long] = self._long(dots[long], ends[long], before[long], after[long])
        odd |= found >= EXACT
        found /= scale
        found = found.astype(np.float32)
        np.negative(found, out=found, where=negative)
        shape = len(marks), marks.shape[1] // 2
        return found.reshape(shape), odd.reshape(shape)

    def _long(self, dots, ends, before, after):
        """The digits as one number, for up to 8 before the point and 16 after it."""
        fraction, odd = self._digits(ends, after)
        higher, wrong = self._digits(ends - 8, after - 8)
        odd |= wrong
        whole, wrong = self._digits(dots, before)
        odd |= wrong | (before > 8) | (after > 16) | (before + after < 1)
        found = whole * POWERS.take(after, mode="clip")
        found += higher * 1e8
        found += fraction
        return found, odd

    def _digits(self, ends, counts):
        """The number that the last `counts` bytes before `ends` are, 8 of them at most."""
        # Eight bytes from any place are the parts of two neighbours in step.
        place = ends >> 3
        shift = (ends & 7).astype(EIGHT)
        shift <<= EIGHT.type(3)
        found = self._eights.take(place, mode="clip")
        found >>= shift
        place += 1
        # A shift by 64 leaves nothing on every machine only in two steps.
        upper = self._eights.take(place, mode="clip")
        upper <<= EIGHT.type(1)
        upper <<= EIGHT.type(63) - shift
        found |= upper
        found ^= ALL_ZEROS
        found &= KEEP_LAST.take(counts, mode="clip")
        odd = found + ABOVE_NINE
        odd |= found
        odd &= HIGH_BITS
        # Neighbours are joined: eight digits to four pairs, to two fours, to one number.
        found *= np.uint64(10 << 8 | 1)
        found >>= np.uint64(8)
        found &= np.uint64(0x00FF00FF00FF00FF)
        found *= np.uint64(100 << 16 | 1)
        found >>= np.uint64(16)
        found &= np.uint64(0x0000FFFF0000FFFF)
        found *= np.uint64(10_000 << 32 | 1)
        found >>= np.uint64(32)
        return found, odd != 0
