"""Does every error point to the right line?"""

import pytest

from calward.app.scenarios.lines import lines_of

TEXT = '''\
title = "one"
# [[step]] in a comment
[[step]]
at = 1
expect = { outcome = "x" }
note = """
[[step]]
at = 7
"""
[[step]]
  at = 11
a.b = 12
[step.expect]
outcome = 14
[[ "step" ]]
'quoted key' = 16
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 1),
        (("title",), 1),
        (("step", 0), 3),
        (("step", 0, "at"), 4),
        (("step", 0, "expect"), 5),
        (("step", 1), 10),
        (("step", 1, "at"), 11),
        (("step", 1, "a", "b"), 12),
        (("step", 1, "expect"), 13),
        (("step", 1, "expect", "outcome"), 14),
        (("step", 2), 15),
        (("step", 2, "quoted key"), 16),
    ],
)
def test_a_table_or_key_is_found_on_its_line(path, line):
    assert lines_of(TEXT)[path] == line


def test_what_stands_inside_a_long_text_is_no_table():
    assert ("step", 3) not in lines_of(TEXT)
