"""Versions in the order of PEP 440, with the packaging library as the judge."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version as Judge

from facesecure.util.versions import LONGEST, parse_version

NUMBER = st.integers(0, 30).map(str)
RELEASES = st.lists(NUMBER, min_size=1, max_size=5).map(".".join)


def _maybe(*prefixes: str) -> st.SearchStrategy[str]:
    return st.one_of(st.just(""), *(NUMBER.map(prefix.__add__) for prefix in prefixes))


VERSIONS = st.tuples(RELEASES, _maybe("a", "b", "rc"), _maybe(".post"), _maybe(".dev")).map("".join)


@given(VERSIONS, VERSIONS)
def test_versions_are_ordered_as_pep_440_orders_them(one: str, other: str) -> None:
    mine, yours = parse_version(one), parse_version(f"v{other}")
    assert mine is not None
    assert yours is not None
    assert (mine < yours, mine == yours) == (Judge(one) < Judge(other), Judge(one) == Judge(other))


@given(VERSIONS)
def test_only_what_is_for_everybody_is_final(text: str) -> None:
    found = parse_version(text)
    assert found is not None
    assert found.final is not Judge(text).is_prerelease


@pytest.mark.parametrize(
    "text",
    ["", "v", "latest", "1.", ".1", "1..2", "-1", "1!2", "1.2+local", "1.2-3", "0.2.0\n", " 0.2.0", "0.2.0 ", "٢.0",
     "1e3", "1.2.3.4.5.6", "9" * 9, "1" * (LONGEST + 1), "0.2.0; rm", "0.2.0\x00", "../0.2.0"],
)  # fmt: skip
def test_anything_else_is_no_version(text: str) -> None:
    assert parse_version(text) is None
