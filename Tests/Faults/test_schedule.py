"""The schedule: reproducible, complete, in order."""
from collections import Counter

import schedule


def test_the_same_seed_draws_the_same_schedule_and_another_seed_another():
    first = schedule.draw(7, schedule.RABBITMQ, 2000)
    assert first == schedule.draw(7, schedule.RABBITMQ, 2000)
    assert first != schedule.draw(8, schedule.RABBITMQ, 2000)


def test_every_target_gets_its_number_of_kills_in_the_middle_of_the_work():
    strikes = schedule.draw(7, schedule.EMBEDDED, 2000)
    assert Counter(strike.target for strike in strikes) == schedule.EMBEDDED
    moments = [strike.after_starts for strike in strikes]
    assert moments == sorted(moments) and 0 < moments[0] and moments[-1] < 1900


def test_the_long_schedules_have_a_hundred_and_twenty_kills_or_more():
    assert all(sum(targets.values()) - targets["term"] >= 120 for targets in schedule.CHAOS.values())
