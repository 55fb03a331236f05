"""An answer in the words of a model: what it is shown, what becomes of what it says."""

from __future__ import annotations

import pytest
from handmade import Given, hit
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import Scripted, llm_of

from ragcli.answer import write
from ragcli.answer.chain import answer
from ragcli.answer.claims import read, settled, spans
from ragcli.answer.prompts import NOT_FOUND
from ragcli.errors import ConfigError

TOWER = (
    "The tower was built in 1889 by Gustave Eiffel.\nIt is made of iron and weighs 10,100 tonnes."
)
BRIDGE = "The bridge was opened in 1932.\nIt spans the harbour."
SHIP = "The ship sailed from Bremen on 12 May 1901 with 310 passengers."
QUESTION = "When was the tower built?"


def ask(said, *hits, on_text=None, question=QUESTION, options=None, step=5, ended="stop", **limits):
    model = Scripted(said=said, step=step, ended=ended)
    chain = write.build(
        write.Options(**(options or {})), None, lambda: llm_of(model, **limits), on_text
    )
    found = answer(question, Given(hits=list(hits)), chain)
    return found, model.told


def three():
    return hit(TOWER, 1), hit(BRIDGE, 2), hit(SHIP, 3)


def test_the_model_sees_numbered_passages_the_question_and_what_it_is_to_do() -> None:
    _, told = ask("It was built in 1889 [1].", *three())
    [(system, human)] = told
    assert (system.type, human.type) == ("system", "human")
    assert NOT_FOUND in system.content
    for n, text in enumerate((TOWER, BRIDGE, SHIP), 1):
        assert f'<passage number="{n}" source="{n}.md">\n{text}\n</passage>' in human.content
    assert human.content.endswith(f"Question: {QUESTION}")


def test_citations_are_numbered_as_they_are_used_and_list_only_what_was_used() -> None:
    found, _ = ask(
        "The ship sailed from Bremen [3]. The tower was built in 1889 [1]. It carried 310 passengers [3].",
        *three(),
    )
    assert found.text == (
        "The ship sailed from Bremen [1]. The tower was built in 1889 [2]. It carried 310 passengers [1]."
    )
    assert [(one.n, one.chunk.key) for one in found.citations] == [(1, 3), (2, 1)]
    assert found.kind == "written" and found.status == "answered"
    assert [sentence.citations for sentence in found.sentences] == [[1], [2], [1]]


def test_the_quote_is_the_sentence_relied_on_and_the_place_is_its_own() -> None:
    text = "Luxen drew the plans.\nThe tower was built in 1889.\n\nThe tower weighs 10,100 tonnes."
    found, _ = ask("The tower weighs 10100 tonnes [1].", hit(text))
    [citation] = found.citations
    assert citation.quote == "The tower weighs 10,100 tonnes."
    assert citation.place.lines == (4, 4)
    assert citation.supported


def test_sentences_that_stand_apart_are_quoted_with_what_is_left_out_shown() -> None:
    text = "The tower was built in 1889.\nIt is red.\nThe tower weighs 10,100 tonnes."
    said = "The tower was built in 1889 [1]. The tower weighs 10,100 tonnes [1]."
    [citation] = ask(said, hit(text))[0].citations
    assert citation.quote == "The tower was built in 1889. … The tower weighs 10,100 tonnes."
    assert citation.place.lines == (1, 3)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("The tower was built in 1890 [1].", "does not give 1890"),
        ("The tower was built by Maria Luxen [1].", "does not name Maria, Luxen"),
        ("The tower was built in 1889 [2].", "does not give 1889"),
        ("The tower was built in 1889 [7].", "There is no passage [7]"),
        ("Restaurants in town serve excellent fish [1].", "does not say this"),
    ],
)
def test_a_sentence_that_is_not_supported_is_marked_behind_it(said: str, reason: str) -> None:
    found, _ = ask(f"The bridge was opened in 1932 [2]. {said}", *three())
    good, bad = found.sentences
    assert (good.supported, bad.supported) == (True, False)
    assert reason in (bad.reason or "")
    assert (found.text or "").endswith(". [unsupported]")
    assert found.unsupported == 1 and "[7]" not in (found.text or "")
    listed = {citation.n for citation in found.citations}
    assert listed == {number for one in found.sentences for number in one.citations}


def test_a_sentence_without_a_citation_is_cited_where_the_passages_say_it() -> None:
    found, _ = ask("The bridge was opened in 1932. Its architect was Maria Luxen.", *three())
    assert (
        found.text
        == "The bridge was opened in 1932. [1] Its architect was Maria Luxen. [unsupported]"
    )
    assert [(one.n, one.chunk.key) for one in found.citations] == [(1, 2)]


def test_what_claims_nothing_is_neither_marked_nor_counted() -> None:
    found, _ = ask(
        "Here is the answer:\n\nThe tower was built in 1889 [1]. I hope this helps!", *three()
    )
    assert [one.supported for one in found.sentences] == [None, True, None]
    assert (
        found.text == "Here is the answer:\n\nThe tower was built in 1889 [1]. I hope this helps!"
    )


@pytest.mark.parametrize(
    "said",
    [
        NOT_FOUND,
        "",
        "   \n",
        "The passages do not mention when the tower was built.",
        "I could not find any information about that in the provided documents.",
        "Unfortunately, the documents don't say who the architect was. They only describe the bridge [2].",
        "There is no information about this in the passages [1].",
        "Sure! The provided context does not specify the year.",
        "Not mentioned in the documents.",
    ],
)
def test_a_model_that_says_the_documents_do_not_answer_found_nothing(said: str) -> None:
    shown: list[str] = []
    found, _ = ask(said, *three(), on_text=shown.append)
    assert (found.status, found.text, found.citations) == ("not_found", None, [])
    assert shown == [] and found.kind == "written"


@pytest.mark.parametrize(
    "said",
    [
        "The documents do not give the month, but the tower was built in 1889 [1].",
        "The bridge has no towers and was opened in 1932 [2].",
        "No.",
    ],
)
def test_an_answer_that_only_sounds_like_a_refusal_is_one(said: str) -> None:
    assert ask(said, *three())[0].status == "answered"


def test_without_hits_no_model_is_asked() -> None:
    chain = write.build(write.Options(), None, lambda: pytest.fail("a model was built"))
    assert answer(QUESTION, Given(hits=[]), chain).status == "not_found"


def test_without_a_model_the_fix_is_said() -> None:
    with pytest.raises(ConfigError, match="no language model"):
        answer(QUESTION, Given(hits=[hit(TOWER)]), write.build(write.Options(), None))


def test_passages_that_do_not_fit_are_left_out_whole_and_said() -> None:
    found, told = ask("The tower was built in 1889 [1].", *three(), window=225)
    sent = told[0][-1].content
    assert TOWER in sent and SHIP not in sent and "ship" not in sent
    assert any("left out" in warning for warning in found.warnings)
    assert [one.chunk.key for one in found.hits] == [1, 2, 3]
    assert sum(len(m.content.split()) for m in told[0]) <= 225 - 100


def test_a_citation_of_a_passage_that_was_left_out_does_not_exist() -> None:
    found, _ = ask("The ship sailed from Bremen [3].", *three(), window=225)
    assert found.unsupported == 1 and found.citations == []


def test_where_not_even_one_passage_fits_the_fix_is_said() -> None:
    with pytest.raises(ConfigError, match="Not even one passage fits") as caught:
        ask("Never said.", hit("word " * 500), window=300)
    assert "max_new_tokens" in caught.value.fix


def test_an_answer_that_was_cut_says_so() -> None:
    found, _ = ask("The tower was built in 1889 [1]. It is", *three(), ended="length")
    assert any("cut" in warning for warning in found.warnings)


def test_an_empty_system_template_sends_no_system_message() -> None:
    _, told = ask("Iron [1].", *three(), options={"system": ""})
    assert [message.type for message in told[0]] == ["human"]


TEXT = st.lists(
    st.sampled_from([
        "The tower was built in 1889", "It weighs 10,100 tonnes", "Mr. J. R. Smith", " [1]", "[2]", " [1, 2]",
        " [9]", ". ", ".", "? ", "! ", "\n", "\n\n", "- iron", " The", " documents do not say", " (passage 3)",
        "塔は1889年に建てられた。", "「鉄」", " e.g. 3.5", "**", " ", "1. ", " [", "]", "no", "Here is it:",
        "\r", "\x1b[31m", " | a | b |",
    ]),
    max_size=14,
).map("".join)  # fmt: skip


@settings(max_examples=250, deadline=None, derandomize=True)
@given(TEXT, st.integers(1, 12))
def test_whatever_the_pieces_the_answer_is_the_same_and_shown_in_order(
    said: str, step: int
) -> None:
    shown: list[str] = []
    whole, _ = ask(said or " ", *three(), step=10_000)
    pieces, _ = ask(said or " ", *three(), step=step, on_text=shown.append)
    assert "".join(shown) == (pieces.text or "")
    assert (pieces.text, pieces.sentences, pieces.status) == (
        whole.text,
        whole.sentences,
        whole.status,
    )


@settings(max_examples=250, deadline=None, derandomize=True)
@given(TEXT, st.data())
def test_what_is_settled_is_cut_as_in_the_whole(said: str, data: st.DataObject) -> None:
    part = said[: data.draw(st.integers(0, len(said)))]
    known = spans(part[: settled(part)])
    assert spans(said)[: max(len(known) - 1, 0)] == known[:-1]


@pytest.mark.parametrize(
    ("sentence", "said", "cited"),
    [
        ("It is red [1].", "It is red.", (1,)),
        ("It is red [1][3].", "It is red.", (1, 3)),
        ("It is red [1, 3].", "It is red.", (1, 3)),
        ("It is red [2-4].", "It is red.", (2, 3, 4)),
        ("It is red (passage 2).", "It is red.", (2,)),
        ("It is red【2】.", "It is red.", (2,)),
        ("- **Red** [passage 1]", "Red", (1,)),
        ("It has 12 [units].", "It has 12 [units].", ()),
    ],
)
def test_markers_are_read_in_the_forms_that_models_use(
    sentence: str, said: str, cited: tuple
) -> None:
    claim = read(sentence)
    assert (claim.said, claim.cited) == (said, cited)


def test_markers_behind_a_full_stop_belong_to_its_sentence() -> None:
    text = "It is red. [1] It is big. [2][3]\nAccording to [1] it is old."
    assert [text[a:b] for a, b in spans(text)] == [
        "It is red. [1]", "It is big. [2][3]", "According to [1] it is old.",
    ]  # fmt: skip
