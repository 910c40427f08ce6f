"""Do the story's clock and chance behave?"""

from calward.app.demo.player import SEED, first_second
from calward.app.demo.stage import StoryClock, StoryEntropy
from tests.support.clocks import DAY, NOW, CountedEntropy


def test_the_storys_time_only_goes_forward():
    clock = StoryClock(NOW)
    clock.go_to(NOW + 5)
    clock.go_to(NOW)
    assert clock.now() == NOW + 5


def test_days_come_out_the_same_each_time_and_secrets_do_not_depend_on_the_seed():
    first, second = (StoryEntropy(SEED, CountedEntropy()) for _ in range(2))
    first.token(16)
    assert [first.between(52, 89) for _ in range(20)] == [second.between(52, 89) for _ in range(20)]
    assert first.token(16) != second.token(16)


def test_the_story_begins_at_a_midnight_and_ends_today():
    begin = first_second(NOW)
    assert begin % DAY == 0
    assert 152 * DAY <= NOW - begin < 153 * DAY
