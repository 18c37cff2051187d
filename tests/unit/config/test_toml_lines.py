"""Every key's line is found, whatever way TOML lets one write it."""

import json
import tomllib

from hypothesis import given
from hypothesis import strategies as st

from facesecure.config.example import example_config
from facesecure.config.toml_lines import key_lines, line_of

AWKWARD = '''\
# a comment with [brackets] and = signs
top = "a # no comment" # a comment
"quoted key" = 1
[a]
b.c = """
[not.a.table]
x = 1
"""
"é\\"]" = 2
list = [ # with a comment
  "one, two",
  [1, 2],
  { deep = 3, deeper = { still = 'here' } },
]
after = 1979-05-27T07:32:00Z
[[a.many]]
first = 1
[[a.many]]
second = \'\'\'it''s ]\'\'\'
[a.many.inside]
last = true
'''


def test_keys_in_every_form_are_found_on_their_line():
    tomllib.loads(AWKWARD)  # or the test tests nothing
    lines = key_lines(AWKWARD)
    assert lines[("top",)] == 2
    assert lines[("quoted key",)] == 3
    assert lines[("a", "b", "c")] == 5
    assert lines[("a", 'é"]')] == 9
    assert lines[("a", "list", 0)] == 11
    assert lines[("a", "list", 1, 1)] == 12
    assert lines[("a", "list", 2, "deeper", "still")] == 13
    assert lines[("a", "after")] == 15
    assert lines[("a", "many", 0, "first")] == 17
    assert lines[("a", "many", 1, "second")] == 19
    assert lines[("a", "many", 1, "inside", "last")] == 21
    assert ("not",) not in lines
    assert ("a", "x") not in lines


def test_a_key_that_is_not_there_is_placed_at_what_holds_it():
    lines = key_lines("[a]\nb = 1\n")
    assert line_of(("a", "missing"), lines) == 1
    assert line_of(("nowhere",), lines) is None


def test_the_example_is_scanned_to_its_end():
    assert ("plugins",) in key_lines(example_config())


@given(st.text(), st.text(st.characters(codec="utf-8", exclude_characters="\r")))
def test_no_text_in_a_value_or_comment_throws_the_scanner_off(value, comment):
    quoted = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    printable = "".join(letter for letter in comment if letter.isprintable())
    text = f"a = {quoted} # {printable}\nb = 1\n"
    tomllib.loads(text)
    assert key_lines(text) == {("a",): 1, ("b",): 2}
