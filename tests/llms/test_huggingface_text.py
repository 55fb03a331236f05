"""What of a model's text is shown, however it is cut into pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragcli.llms.huggingface_text import Visible

ALPHABET = st.text(alphabet="ab \n<>/think.", max_size=40)


def shown(pieces: list[str], stops: list[str], *, thinking: bool = False) -> tuple[str, bool]:
    """What is shown in all, and whether a stop text ended it."""
    visible = Visible(stops, thinking=thinking)
    text = "".join([*(visible.feed(piece) for piece in pieces), visible.end()])
    return text, visible.stopped


@given(ALPHABET, st.lists(st.text(alphabet="ab.\n", min_size=1, max_size=4), max_size=3), st.data())
def test_stop_texts_work_across_any_borders(
    text: str, stops: list[str], data: st.DataObject
) -> None:
    text = "x" + text
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    # Read piece by piece, the stop text that is complete first counts, and of two the one that began first.
    ends = [(text.find(stop) + len(stop), text.find(stop)) for stop in stops if stop in text]
    result, stopped = shown(pieces, stops)
    assert stopped == bool(ends)
    if not ends:
        assert result == text
    else:
        assert not any(stop in result for stop in stops)
        assert text.startswith(result)
        assert len(result) <= min(ends)[0]


def test_what_can_not_become_a_stop_text_is_shown_at_once() -> None:
    visible = Visible(["\nQuestion:"])
    assert visible.feed("The code is 4821.") == "The code is 4821."
    assert visible.feed("\nQuest") == ""
    assert visible.feed("s are") == "\nQuests are"
    assert visible.feed(" many.\nQuestion: and") == " many."
    assert visible.stopped
    assert visible.feed("more") == visible.end() == ""


@pytest.mark.parametrize(
    ("pieces", "thinking", "expected"),
    [
        (["  \n", " Yes."], False, "Yes."),
        (["<th", "ink>no ", "</thi", "nk>\n\nYes."], False, "Yes."),
        (["hm, <think>", "</think>", "\nYes."], True, "Yes."),
        (["<think>never ends"], False, ""),
        (["<thanks>"], False, "<thanks>"),
        (["<"], False, "<"),
        (["Yes <think> is a tag."], False, "Yes <think> is a tag."),
    ],
)
def test_thoughts_are_not_shown(pieces: list[str], thinking: bool, expected: str) -> None:
    assert shown(pieces, [], thinking=thinking)[0] == expected
    letters = list("".join(pieces))
    assert shown(letters, [], thinking=thinking)[0] == expected


def test_a_stop_text_inside_a_thought_does_not_count() -> None:
    assert shown(["<think>a.b</think>", "c.d"], ["."]) == ("c", True)
