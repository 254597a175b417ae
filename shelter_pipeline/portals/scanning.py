"""Finding where JSON values begin and end without parsing them, in a text that need not fit in memory.

Strings and brackets are enough to find the end of a value, however deep or broken its
inside is: so a value that is no JSON can be cut out whole, and what follows it be read.
Nothing here recurses, and no more than a window of the text is looked at in one go.
"""

from __future__ import annotations

import mmap
import re

import msgspec

WINDOW_BYTES = 16 * 1024 * 1024
MOST_DEEP = 1_000_000
_LONGEST_KEY_BYTES = 64

_IN_STRING = rb'[^"\\]*+(?:\\.[^"\\]*+)*+'
_IN_STRING_PATTERN = re.compile(_IN_STRING, re.DOTALL)
_TO_BRACKET = re.compile(rb'[^"{}\[\]]*+(?:"' + _IN_STRING + rb'"[^"{}\[\]]*+)*+', re.DOTALL)
# RFC 8259 section 7 allows no line break in a string, so a quote too many may end with its line.
_TO_BRACKET_BY_LINES = re.compile(
    rb'[^"{}\[\]]*+(?:"[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+(?:"|(?=\n))[^"{}\[\]]*+)*+'
)
_IDENTIFIER_KEY = re.compile(rb'"identifier"[ \t\r\n]*+:')
_SPACE = re.compile(rb"[ \t\r\n]*+")
_SEPARATORS = re.compile(rb"[ \t\r\n,]*+")
_PADDING = re.compile(rb"[ \t\r\n\0]*+")
# What Python and JavaScript write for numbers that JSON does not have is let through to the decoder.
_LITERAL = re.compile(rb"null|true|false|NaN|-?+Infinity|-?+[0-9][0-9.eE+-]*+")
_WORDS = (b"null", b"true", b"false", b"NaN", b"-Infinity", b"Infinity")

_QUOTE, _COLON = b'":'
_OPEN, _CLOSE = b"{[", b"}]"
_OBJECT = _OPEN[0]
_PAIR = 2  # from an opening bracket to its closing one, in ASCII


class CutError(Exception):
    """The text ends in the middle of a value; `within` is where that value begins, where it is known."""

    def __init__(self, within: int | None = None) -> None:
        place = "" if within is None else f" of the value that begins at byte {within}"
        super().__init__(f"JSON that ends in the middle{place}")


class BrokenError(Exception):
    """The text is no JSON from `offset` on, in a way that leaves unknown where the next value begins."""

    def __init__(self, offset: int, problem: str) -> None:
        super().__init__(f"{problem} at byte {offset}")
        self.offset = offset


class Scanner:
    """Steps over the values of one text of JSON in UTF-8, by byte offsets.

    Every method raises CutError where the text ends too early, BrokenError where it is no JSON.
    """

    def __init__(self, text: bytes | mmap.mmap) -> None:
        self.text = text
        self._size = len(text)
        self._release_at = WINDOW_BYTES

    def byte(self, position: int) -> int:
        """The byte that stands there."""
        if position >= self._size:
            raise CutError
        return self.text[position]

    def after_space(self, position: int) -> int:
        """Where the next thing stands."""
        return self._run(_SPACE, position)

    def after_separators(self, position: int) -> int:
        """Where the next member of a list or object stands: a comma too many or too few hides none."""
        return self._run(_SEPARATORS, position)

    def expect_end(self, position: int) -> None:
        """Return if only white space and NUL padding follow."""
        position = self._run(_PADDING, position)
        if position < self._size:
            raise BrokenError(position, "something follows the end of the document")

    def key(self, position: int) -> tuple[str, int]:
        """The key of an object's member, and where its value stands. A very long key is given as ""."""
        end = self.value_end(position)
        name = self._short_string(position, end)
        colon = self.after_space(end)
        if self.byte(colon) != _COLON:
            raise BrokenError(colon, "no colon after a key")
        return name, self.after_space(colon + 1)

    def value_end(self, position: int) -> int:
        """The end of the value that begins at `position`."""
        first = self.byte(position)
        if first in _OPEN:
            return self._container_end(position)
        if first == _QUOTE:
            return self._string_end(position)
        literal = _LITERAL.match(self.text, position)
        if literal is None:
            rest = self.text[position : position + _LONGEST_KEY_BYTES]
            if any(word.startswith(rest) for word in _WORDS):
                raise CutError
            raise BrokenError(position, "no value")
        return literal.end()

    def end_by_lines(self, start: int, limit: int | None = None) -> int | None:
        """The end of the object that begins at `start` if a string never goes beyond its line.

        None if it has none before `limit`, or within a window. For a value that is no JSON
        because of a quote too many, this is its likely end, and the other methods' is not.
        """
        if self.byte(start) != _OBJECT:
            return None
        limit = min(limit or self._size, start + WINDOW_BYTES)
        opened = bytearray()
        position = start
        while True:
            found = _TO_BRACKET_BY_LINES.match(self.text, position, limit)
            position = found.end() if found else limit
            if position >= limit or self.text[position] == _QUOTE:
                return None
            try:
                _count_bracket(opened, self.text[position], start, position)
            except BrokenError:
                return None
            position += 1
            if not opened:
                return position

    def count_identifiers(self, start: int, end: int) -> int:
        """How many keys of this part of the text are "identifier"."""
        count = 0
        for position in range(start, end, WINDOW_BYTES):
            limit = min(end, position + WINDOW_BYTES)
            count += sum(1 for _ in _IDENTIFIER_KEY.finditer(self.text, position, limit))
            self.release()
        return count

    def release(self) -> None:
        """Let go of the memory that holds what was looked at; it is read from disk again when needed."""
        if isinstance(self.text, mmap.mmap):
            self.text.madvise(mmap.MADV_DONTNEED)

    def _run(self, pattern: re.Pattern[bytes], position: int) -> int:
        """Where a run of `pattern` ends, window by window."""
        while True:
            limit = position + WINDOW_BYTES
            position = self._end(pattern, position)
            if position < limit:
                return position

    def _end(self, pattern: re.Pattern[bytes], position: int) -> int:
        if position > self._release_at:
            self.release()
            self._release_at = position + WINDOW_BYTES
        found = pattern.match(self.text, position, position + WINDOW_BYTES)
        return found.end() if found else position

    def _short_string(self, start: int, end: int) -> str:
        if end - start > _LONGEST_KEY_BYTES:
            return ""
        try:
            return msgspec.json.decode(self.text[start:end], type=str)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return ""

    def _string_end(self, start: int) -> int:
        position = start + 1
        while True:
            before, position = position, self._end(_IN_STRING_PATTERN, position)
            if self.byte(position) == _QUOTE:
                return position + 1
            if position == before:  # a backslash, and nothing after it
                raise CutError

    def _container_end(self, start: int) -> int:
        opened = bytearray()
        position = start
        try:
            while True:
                position = self._to_bracket(position)
                bracket = self.text[position]
                if opened and opened[-1] == bracket - _PAIR:
                    del opened[-1]  # the usual case, told apart for speed
                else:
                    _count_bracket(opened, bracket, start, position)
                position += 1
                if not opened:
                    return position
        except CutError:
            raise CutError(start) from None

    def _to_bracket(self, position: int) -> int:
        while True:
            position = self._end(_TO_BRACKET, position)
            found = self.byte(position)
            if found == _QUOTE:  # of a string that the window does not hold whole
                position = self._string_end(position)
            elif found in _OPEN or found in _CLOSE:
                return position


def _count_bracket(opened: bytearray, bracket: int, start: int, position: int) -> None:
    """Take note of a bracket. A closing one closes what was left open inside the one that it closes."""
    if bracket in _OPEN:
        opened.append(bracket)
        if len(opened) > MOST_DEEP:
            raise BrokenError(position, f"more than {MOST_DEEP} brackets inside one another")
        return
    index = opened.rfind(bracket - _PAIR)
    if index < 0:
        problem = f"a closing bracket for none, inside the value that begins at byte {start}"
        raise BrokenError(position, problem)
    del opened[index:]
