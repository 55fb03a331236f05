"""Every shipped profile loads, builds its options and combines; names resolve in a wheel as well."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from dotenv import dotenv_values

from ragcli.cli.commands.config import boards
from ragcli.cli.profiles import find, profiles
from ragcli.cli.variables import variables
from ragcli.config import check, plug_options, resolve
from ragcli.hosted.provider import PROVIDERS
from ragcli.layers import environment_layers, file_layer
from ragcli.registry import load
from ragcli.settings import Settings

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "configs").glob("*.yaml"))
HOSTED = {
    "openai": ("openai", "langchain_openai"),
    "claude": ("anthropic", "langchain_anthropic"),
    "gemini": ("google", "langchain_google_genai"),
    "deepseek": ("deepseek", "langchain_deepseek"),
}
SERVED = {"ollama": "ollama", "openai-compatible": "openai-compatible"}

every = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def test_there_are_profiles() -> None:
    assert {"default", *HOSTED, *SERVED} <= {path.stem for path in FILES}
    assert [profile.name for profile in profiles()] == [path.stem for path in FILES]


@every
def test_a_profile_is_valid_and_builds_the_options_of_its_plugs(path: Path) -> None:
    layer = file_layer(path)
    assert check([layer], boards()) == []
    settings = resolve([layer]).settings
    for section, board in boards().items():
        choice = getattr(settings, section)
        plug_options(load(*board, choice.use), section, choice)


@every
def test_a_profile_opens_with_what_it_is_for_and_how_to_run_it(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").split("\n")
    head = lines[: next(n for n, line in enumerate(lines) if not line.startswith("#"))]
    assert head[0].removeprefix("# ").endswith(".")
    text = "\n".join(head)
    assert re.search(rf"# Run: +ragcli (query|ingest) .*--config {path.stem}\b", text)
    assert re.search(
        rf"# Override: +ragcli (query|ingest|sync) .*--config {path.stem} --(set|llm) ", text
    )
    assert f"ragcli config copy {path.stem}" in text
    for key in re.findall(r"--set ([\w.]+)=", text):
        section, _, name = key.partition(".")
        assert check([file_layer(path)], boards()) == []
        assert section in Settings.model_fields, key
        assert name, key


@pytest.mark.parametrize("first", FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize("second", FILES, ids=lambda path: path.stem)
def test_profiles_combine(first: Path, second: Path) -> None:
    layers = [file_layer(first), file_layer(second)]
    assert check(layers, boards()) == []
    settings = resolve(layers).settings
    for section, values in yaml.safe_load(second.read_text(encoding="utf-8")).items():
        if isinstance(values, dict) and "use" in values:
            assert getattr(settings, section).use == values["use"]


@pytest.mark.parametrize("name", HOSTED)
def test_a_profile_names_a_model_that_its_provider_has(name: str) -> None:
    use, package = HOSTED[name]
    known = pytest.importorskip(f"{package}.data._profiles")._PROFILES
    choice = resolve([file_layer(ROOT / "configs" / f"{name}.yaml")]).settings.llm
    assert choice.use == use
    assert choice.options["model"] in known


def test_a_profile_is_found_by_its_name() -> None:
    for name in ("openai", "openai.yaml", "configs/openai.yaml"):
        assert find(name) == ROOT / "configs" / "openai.yaml"
    assert find("no-such-profile") is None


def test_a_wheel_carries_the_profiles(tmp_path: Path) -> None:
    pytest.importorskip("hatchling")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT, check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    unpacked = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    script = (
        "from ragcli.cli.profiles import find, profiles; "
        "print(*(p.name for p in profiles())); print(find('openai'))"
    )
    child = subprocess.run(
        [sys.executable, "-c", script],
        cwd=unpacked, check=True, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    names, found = child.stdout.split("\n")[:2]
    assert names.split() == [path.stem for path in FILES]
    assert Path(found) == unpacked / "ragcli" / "configs" / "openai.yaml"


def test_the_example_names_exactly_the_variables_that_the_code_knows() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").split("\n")
    names = [match[1] for line in lines if (match := re.match(r"# ([A-Z][A-Z_]+)=", line))]
    assert names == [variable.name for variable in variables()]
    assert len(set(names)) == len(names)
    assert {provider.key for provider in PROVIDERS.values()} <= set(names)
    assert dotenv_values(ROOT / ".env.example") == {}


def test_no_variable_is_used_that_the_example_does_not_name() -> None:
    sources = list((ROOT / "ragcli").rglob("*.py"))
    assert len(sources) > 100
    used = {
        name
        for path in sources
        for name in re.findall(r"\"([A-Z]+(?:_[A-Z]+)*_(?:API_KEY|TOKEN))\"", path.read_text())
    }
    assert used == {v.name for v in variables() if v.name.endswith(("_API_KEY", "_TOKEN"))}


def test_a_setting_without_a_section_is_taken_from_its_variable() -> None:
    given = {v.name: v.example for v in variables() if v.name.startswith("RAGCLI_") and v.example}
    assert given
    resolve(environment_layers(given))
