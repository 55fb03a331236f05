"""Precedence, origins, and every mistake named at once."""

from pathlib import Path

import pytest

from ragcli.config import check, resolve
from ragcli.errors import ConfigError
from ragcli.layers import Layer, environment_layers, file_layer, flag_layer


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_later_layers_win_and_are_remembered(tmp_path: Path) -> None:
    user = file_layer(write(tmp_path / "user.yaml", "retrieval: {top_k: 1, mode: dense}\n"))
    project = file_layer(write(tmp_path / "ragcli.yaml", "retrieval:\n  top_k: 2\n"))
    env = environment_layers({"RAGCLI_RETRIEVAL__TOP_K": "3", "RAGCLI_OFFLINE": "true"})
    loaded = resolve([user, project, *env, flag_layer(["retrieval.top_k=4"])])
    assert loaded.settings.retrieval.top_k == 4
    assert loaded.settings.retrieval.mode == "dense"
    assert loaded.settings.offline is True
    assert loaded.origins["retrieval.top_k"] == "--set"
    assert loaded.origins["retrieval.mode"].endswith("user.yaml")
    assert loaded.origins["offline"] == "environment variable RAGCLI_OFFLINE"


def test_each_layer_wins_over_the_ones_before() -> None:
    layers = [Layer(str(i), {"retrieval.top_k": i}) for i in range(1, 6)]
    for last in range(1, 6):
        assert resolve(layers[:last]).settings.retrieval.top_k == last


def test_every_mistake_is_named_at_once_with_its_origin() -> None:
    layer = Layer(
        "ragcli.yaml",
        {"retrieval.topk": 3, "retrieval.top_k": "many", "ingest.jobs": 0, "collektion": "x"},
    )
    problems = {problem.key: problem for problem in check([layer])}
    assert set(problems) == {"retrieval.topk", "retrieval.top_k", "ingest.jobs", "collektion"}
    assert "did you mean 'top_k'?" in problems["retrieval.topk"].message
    assert "did you mean 'collection'?" in problems["collektion"].message
    assert all(problem.origin == "ragcli.yaml" for problem in problems.values())


def test_choosing_another_plug_forgets_the_options_of_the_first() -> None:
    layers = [
        Layer("a", {"store.use": "embedded", "store.exact_below": 10}),
        Layer("b", {"store.use": "other", "store.index": "x"}),
    ]
    assert resolve(layers).settings.store.options == {"index": "x"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("retrieval: [unclosed\n", "bad.yaml:2 is not valid YAML"),
        ("- a\n- b\n", "must hold `section:` blocks"),
        ("!!python/object/apply:os.system ['true']\n", "is not valid YAML"),
    ],
)
def test_a_broken_file_is_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        file_layer(write(tmp_path / "bad.yaml", text))
    assert words in caught.value.message


def test_an_empty_file_and_an_empty_section_are_fine(tmp_path: Path) -> None:
    layer = file_layer(write(tmp_path / "ragcli.yaml", "# nothing\nretrieval:\n"))
    assert resolve([layer]).settings.retrieval.top_k == 4


def test_a_section_that_is_no_section_is_refused() -> None:
    problems = check([Layer("f", {"retrieval": 5}), Layer("g", {"retrieval.top_k": 2})])
    assert problems


def test_set_needs_an_equals_sign() -> None:
    with pytest.raises(ConfigError, match="KEY=VALUE"):
        flag_layer(["retrieval.top_k"])


def test_variables_of_others_are_left_alone() -> None:
    assert environment_layers({"RAGCLI_TEST_DATA": "/x", "PATH": "/bin", "RAGCLI_": "1"}) == []


def test_a_variable_with_one_underscore_for_two_is_a_slip() -> None:
    slips = {
        "RAGCLI_RETRIEVAL_TOP_K": "8",
        "RAGCLI_SPLITTER__OVERLAPS": "1",
        "RAGCLI_EMBEDDER_MODEL": "x",
        "RAGCLI_LLM_KEY": "y",
    }
    problems = check(environment_layers(slips))
    said = "there is no such setting; did you mean"
    assert [(problem.message, problem.origin) for problem in problems] == [
        (f"{said} RAGCLI_SPLITTER__OVERLAP?", "environment variable RAGCLI_SPLITTER__OVERLAPS"),
        (f"{said} RAGCLI_EMBEDDER__MODEL?", "environment variable RAGCLI_EMBEDDER_MODEL"),
        (f"{said} RAGCLI_RETRIEVAL__TOP_K?", "environment variable RAGCLI_RETRIEVAL_TOP_K"),
    ]
