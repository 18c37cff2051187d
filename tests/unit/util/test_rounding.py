"""A value and the limit that it misses never read the same."""

import pytest

from facesecure.util.rounding import apart


@pytest.mark.parametrize(
    ("value", "limit", "decimals", "kind", "texts"),
    [
        (0.72, 0.5, 2, "f", ("0.72", "0.50")),
        (0.5004, 0.5, 2, "f", ("0.5004", "0.5000")),
        (23.97, 24, 1, "f", ("23.97", "24.00")),
        (11.6, 12, 0, "f", ("11.6", "12.0")),
        (0.4996, 0.5, 0, "%", ("49.96%", "50.00%")),
        (1.0004e-5, 1e-5, 3, "g", ("1.0004e-05", "1e-05")),
        (0.99899, 0.999, 4, "g", ("0.99899", "0.999")),
        (0.5, 0.5, 2, "f", ("0.50", "0.50")),
    ],
)
def test_more_decimals_are_given_until_the_two_differ(value, limit, decimals, kind, texts):
    assert apart(value, limit, decimals, kind) == texts
