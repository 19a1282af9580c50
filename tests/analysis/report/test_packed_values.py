"""Packed numbers are the rounded ones, whatever their size."""

import numpy as np

from analysis.report.packed_values import pack_codes, pack_numbers
from tests.analysis.report.unpacking import unpack_numbers


def test_numbers_come_back_with_six_digits() -> None:
    rng = np.random.default_rng(0)
    values = rng.standard_normal(2000) * 10.0 ** rng.integers(-200, 200, 2000)
    np.testing.assert_array_equal(unpack_numbers(pack_numbers(values)), [float(f"{v:.6g}") for v in values])


def test_the_ends_of_the_range_and_values_that_do_not_exist() -> None:
    values = np.array([0.0, -0.0, 1.0, 999999.5, 84.25, -1.7e308, 1e-305, np.nan, np.inf, -np.inf])
    found = unpack_numbers(pack_numbers(values))
    np.testing.assert_array_equal(found[:5], [0.0, 0.0, 1.0, 1e6, 84.25])
    np.testing.assert_allclose(found[5:7], [-1.7e308, 1e-305], rtol=1e-5, atol=1e-307)
    assert np.isnan(found[7:]).all()


def test_fifty_thousand_scores_take_three_bytes_each_at_most() -> None:
    scores = 100 * np.clip(0.8 + 0.05 * np.random.default_rng(0).standard_normal(50_000), 0, 1)
    assert len(pack_numbers(scores)) < 3.5 * len(scores)
    assert len(pack_codes(np.zeros(50_000))) < 150
