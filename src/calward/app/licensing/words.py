"""Which words to the clearinghouse has this ledger made, and may the clearinghouse have heard?

Contacts and recover requests name them, so that the clearinghouse notices when it has heard one that this ledger does not know: a copy
of it has talked meanwhile, or this is an older one.
"""

import json

from calward.app.ports import Book
from calward.domain.pack_requests import MAX_WORDS

__all__ = ["add_word", "earlier_words", "word_was_answered"]

_WORDS = "words"


def earlier_words(book: Book) -> tuple[str, ...]:
    """Their nonces, oldest first, from the last one on of which it is known that it was answered."""
    kept = book.document(_WORDS)
    return tuple(json.loads(kept)) if kept else ()


def add_word(book: Book, nonce: str) -> None:
    """Remember a word before it is said."""
    words = [one for one in earlier_words(book) if one != nonce]
    # The first one was answered; of the others those go first that were said longest ago, and were hardly heard.
    kept = words if len(words) < MAX_WORDS else [words[0], *words[2 - MAX_WORDS :]]
    book.keep_document(_WORDS, json.dumps([*kept, nonce]).encode())


def word_was_answered(book: Book, nonce: str) -> None:
    """What was said before it can be forgotten."""
    words = earlier_words(book)
    if nonce in words[1:]:
        book.keep_document(_WORDS, json.dumps(words[words.index(nonce) :]).encode())
