"""Does every reason have its sentence, here and on its page?"""

import re
from pathlib import Path

import pytest

from calward.domain.reasons import SENTENCES, Reason

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "reasons.md"
FROZEN = """
cal-version-too-low cal-type-differs-from-mode license-upgrade-prevented no-cal-free temporary-license-expired
server-version-too-low server-not-activated issuing-right-ended host-not-authorized no-license-server grace-expired
first-contact not-proven license-ended revocation-limit per-user-not-revocable per-device-not-releasable
not-a-full-license pack-already-installed pack-in-use pack-expired nothing-to-do
"""


def test_no_name_that_was_ever_given_disappears():
    assert set(FROZEN.split()) <= {reason.value for reason in Reason}


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_one_sentence_in_lower_case_without_a_full_stop(reason):
    sentence = SENTENCES[reason]
    assert sentence[0].islower() or sentence.startswith("CAL")
    assert not sentence.endswith(".")
    assert "\n" not in sentence


def test_the_sentences_differ():
    assert len(set(SENTENCES.values())) == len(Reason) == len(SENTENCES)


def test_the_page_lists_every_reason_with_its_sentence_in_the_order_of_the_code():
    rows = re.findall(r"^\| `([a-z-]+)` \| ([^|]+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == [(reason.value, SENTENCES[reason]) for reason in Reason]
