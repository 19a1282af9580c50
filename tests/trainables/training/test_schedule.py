"""Learning rates follow batch size and step, and budgets give the right number of steps."""

import pytest

from tests.trainables.training.small import config
from trainables.training.schedule import learning_rate_factor, peak_learning_rate


@pytest.mark.parametrize(("rule", "rate"), [("none", 0.4), ("linear", 0.1), ("sqrt", 0.2)])
def test_rate_rules(rule: str, rate: float) -> None:
    assert peak_learning_rate(config(batch_size=64, lr_rule=rule)) == pytest.approx(rate)


def test_warm_up_then_cosine() -> None:
    factors = [learning_rate_factor(step, 100, 0.1) for step in range(100)]
    assert factors[0] == pytest.approx(0.1)
    assert factors[9] == factors[10] == 1
    assert factors[55] == pytest.approx(0.5)
    assert factors[:10] == sorted(factors[:10])
    assert factors[10:] == sorted(factors[10:], reverse=True)
    assert 0 < factors[-1] < 0.001


def test_no_warm_up() -> None:
    assert learning_rate_factor(0, 10, 0.0) == 1


def test_budgets_leave_short_batches_out() -> None:
    assert config().step_count(20) == 5
    assert config(steps=None, epochs=3).step_count(20) == 6
    assert config(steps=None, samples=30).step_count(20) == 3
