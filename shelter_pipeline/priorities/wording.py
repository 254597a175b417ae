"""Which words of a vocabulary a record holds: whole words, whatever their case, in the order they are written in.

Words are runs of letters and digits, so "sea-level" holds "sea level" and "oceanic" does not
hold "ocean"; an entry that ends in an asterisk stands for all words that begin so. A word
that was seen once is looked up, because a catalogue of half a million records is written
with some ten thousand words.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

_words_of = re.compile(r"[^\W_]+").findall
_ANY_ENDING = "*"


@dataclass(frozen=True, slots=True)
class _Entry:
    """One word or several, as they are looked for."""

    name: str
    words: tuple[str, ...]
    open_ended: bool

    def stands_at(self, text: Sequence[str], at: int) -> bool:
        """Whether the entry begins at this word of a text."""
        *whole, last = self.words
        end = at + len(whole)
        if end >= len(text) or list(text[at:end]) != whole:
            return False
        return text[end].startswith(last) if self.open_ended else text[end] == last


def readable(name: str) -> bool:
    """Whether an entry holds a word that can be looked for."""
    return bool(_words_of(name.casefold()))


@dataclass(frozen=True, slots=True)
class WordList:
    """Entries that are looked for together."""

    entries: tuple[_Entry, ...]
    _known: dict[str, tuple[_Entry, ...]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, names: Iterable[str]) -> WordList:
        """The list of these entries; what is not `readable` is left out."""
        return cls(
            tuple(
                _Entry(name, tuple(_words_of(name.casefold())), name.rstrip().endswith(_ANY_ENDING))
                for name in names
                if readable(name)
            )
        )

    def found_in(self, texts: Iterable[str]) -> set[str]:
        """The entries that one of these texts holds; none reaches from one text into the next."""
        return {name for text in texts for name in self._found(_words_of(text.casefold()))}

    def _found(self, text: Sequence[str]) -> Iterator[str]:
        for at, word in enumerate(text):
            candidates = self._known.get(word)
            if candidates is None:
                candidates = self._known[word] = tuple(self._beginning_with(word))
            for entry in candidates:
                if entry.stands_at(text, at):
                    yield entry.name

    def _beginning_with(self, word: str) -> Iterator[_Entry]:
        for entry in self.entries:
            first = entry.words[0]
            if word == first or (entry.open_ended and len(entry.words) == 1 and word.startswith(first)):
                yield entry


@dataclass(frozen=True, slots=True)
class Wording:
    """What a record's words say: how relevant it is, 0 to 1, and which threatened topics it belongs to, by number."""

    relevance: float
    topics: tuple[int, ...]
    because: tuple[str, ...]  # the entries found, the strongest first


class Reader:
    """Reads records for the words, themes and topics of one vocabulary."""

    def __init__(
        self, words: Mapping[str, float], themes: Mapping[str, float], topics: Sequence[str]
    ) -> None:
        self._weights = dict(words)
        self._themes = {theme.casefold(): weight for theme, weight in themes.items()}
        self._words, self._topics = WordList.of(words), WordList.of(topics)
        self._numbers = {topic: number for number, topic in enumerate(topics, 1)}
        self.fingerprint = zlib.crc32(repr((self._weights, self._themes, list(topics))).encode())

    def read(self, title: str, keywords: Sequence[str], themes: Sequence[str]) -> Wording:
        """What this record's title, keywords and themes say."""
        texts = (title, *keywords)
        found = {word: self._weights[word] for word in self._words.found_in(texts)}
        for theme in themes:
            weight = self._themes.get(theme.casefold())
            if weight is not None:
                found[theme] = max(weight, found.get(theme, 0.0))
        topics = sorted(self._numbers[topic] for topic in self._topics.found_in((*texts, *themes)))
        strongest = sorted(found, key=lambda word: (-found[word], word))
        return Wording(max(found.values(), default=0.0), tuple(topics), tuple(strongest))
