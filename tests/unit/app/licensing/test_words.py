"""Which of its words does a license server remember, so that a copy of it is told from it?"""

import pytest

from calward.app.licensing.words import add_word, earlier_words, word_was_answered
from calward.app.scenarios.memory_ledger import MemoryLedger
from calward.domain.pack_requests import MAX_WORDS
from tests.support.clocks import CountedEntropy


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger(CountedEntropy())


def test_all_words_are_kept_until_one_is_answered(ledger):
    for word in ("a", "b", "c"):
        add_word(ledger, word)
    assert earlier_words(ledger) == ("a", "b", "c")
    word_was_answered(ledger, "b")
    assert earlier_words(ledger) == ("b", "c")


def test_an_answer_that_comes_late_forgets_nothing_newer_and_an_unknown_one_nothing(ledger):
    for word in ("a", "b", "c"):
        add_word(ledger, word)
    word_was_answered(ledger, "c")
    for late in ("a", "x"):
        word_was_answered(ledger, late)
        assert earlier_words(ledger) == ("c",)


def test_of_too_many_the_one_that_was_answered_and_the_newest_stay(ledger):
    for word in range(MAX_WORDS + 50):
        add_word(ledger, str(word))
    kept = earlier_words(ledger)
    assert len(kept) == MAX_WORDS
    assert kept[0] == "0"
    assert kept[1:] == tuple(str(x) for x in range(51, MAX_WORDS + 50))


def test_a_word_that_is_said_again_is_one_word(ledger):
    for word in ("a", "b", "a"):
        add_word(ledger, word)
    assert earlier_words(ledger) == ("b", "a")
