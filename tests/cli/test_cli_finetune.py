"""`ragcli finetune-embedder` as people run it, on a tiny model: kept, not kept, taken back."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from calling import Run, environment
from loopback import Asked, Reply, loopback
from models import make_model

ASKED = ("harbour", "river", "bridge", "bread", "library", "tide", "sand", "steel")
ANSWERED = ("master", "delta", "storm", "flour", "books", "log", "year", "concrete")

pytest.importorskip("datasets", reason="training needs the package datasets")


def examples(path: Path, *, learnable: bool, count: int = 220) -> Path:
    """Passages in words that questions never use: a translation, or nothing that could be learned."""
    draw = random.Random(3)
    seen, lines = set(), []
    while len(lines) < count:
        words = tuple(draw.choices(range(len(ASKED)), k=4))
        if words in seen:
            continue
        seen.add(words)
        others = words if learnable else draw.choices(range(len(ASKED)), k=4)
        asked = " ".join(ASKED[at] for at in words)
        answered = " ".join(ANSWERED[at] for at in others)
        lines.append(json.dumps({"question": asked, "context": f"{answered} {len(lines)}"}))
    path.write_text("\n".join(lines) + "\n")
    return path


class Hub(Reply):
    """The Hub, as far as an upload asks for it."""

    def answering(self, asked: Asked) -> Reply:
        answer: dict = {"url": "http://127.0.0.1/me/map"}
        if "preupload" in asked.path:
            files = [{**file, "uploadMode": "regular"} for file in asked.body["files"]]
            answer = {"files": [{**file, "shouldIgnore": False} for file in files]}
        elif "commit" in asked.path:
            answer = {"commitUrl": answer["url"], "commitOid": "0" * 40}
        return Reply(parts=[json.dumps(answer).encode()])


def beir(folder: Path) -> Path:
    """Questions that are in the words of their documents: the check against forgetting."""
    (folder / "qrels").mkdir(parents=True)
    texts = [f"{' '.join(ANSWERED[n % 8 :])} page {n}" for n in range(30)]
    corpus = [json.dumps({"_id": f"d{n}", "text": text}) for n, text in enumerate(texts)]
    queries = [json.dumps({"_id": f"q{n}", "text": text[:20]}) for n, text in enumerate(texts)]
    (folder / "corpus.jsonl").write_text("\n".join(corpus))
    (folder / "queries.jsonl").write_text("\n".join(queries))
    judged = "".join(f"q{n}\td{n}\t1\n" for n in range(30))
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + judged)
    return folder


def project(folder: Path) -> Path:
    model = make_model(folder / "base")
    (folder / ".ragcli").mkdir()
    (folder / "ragcli.yaml").write_text(f"# ours\nembedder:\n  model: {model}\n")
    return folder


FAST = ("--batch", "32", "--lr", "0.01", "--epochs", "8", "--precision", "fp32", "--json")


def test_what_is_better_is_kept_loads_elsewhere_and_can_be_taken_back(
    ragcli: Run, tmp_path: Path
) -> None:
    folder = project(tmp_path / "project")
    words = " ".join(ANSWERED)
    (folder / "notes.md").write_text(f"# Notes\n\nA page with words: {words}.\n")
    assert ragcli("ingest", "notes.md", cwd=folder).returncode == 0
    data = examples(folder / "data.jsonl", learnable=True)
    more = ("--reindex", "--log-to", "tensorboard")
    done = ragcli("finetune-embedder", str(data), *FAST, *more, cwd=folder)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["kept"], told["reason"]
    assert told["proof"]["dense"]["verdict"] == "better"
    assert list((folder / ".ragcli" / "curves" / "tuned").glob("events.*"))
    result = Path(told["folder"])
    assert (result / "onnx" / "model.onnx").is_file()
    assert (result / "query_adapter.npy").is_file() == bool(told["map"]["strength"])
    card = (result / "README.md").read_text()
    lines = [json.loads(line) for line in data.read_text().splitlines()]
    assert not any(line["question"] in card or line["context"] in card for line in lines)
    config = (folder / "ragcli.yaml").read_text()
    assert config.startswith("# ours") and 'model: "./.ragcli/models/tuned"' in config

    assert ragcli("search", "words", cwd=folder).returncode == 0
    base, folder = folder / "base", folder.rename(tmp_path / "moved")
    result = folder / ".ragcli" / "models" / "tuned"
    assert ragcli("search", "words", cwd=folder).returncode == 0

    script = (
        "import sys; from sentence_transformers import SentenceTransformer;"
        "print(SentenceTransformer(sys.argv[1]).encode('river').shape[0])"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", script, str(result)], capture_output=True, text=True
    )
    assert loaded.stdout.strip() == "32", loaded.stderr[-2000:]

    back = ragcli("finetune-embedder", "--rollback", cwd=folder)
    assert back.returncode == 0, back.stderr
    assert (folder / "ragcli.yaml").read_text().count(str(base)) == 1
    assert not base.parent.exists()
    base.parent.symlink_to(folder)

    refused = ragcli("search", "words", cwd=folder)
    assert refused.returncode == 2 and "ragcli ingest;" in refused.stderr
    again = ragcli("ingest", "--json", cwd=folder)
    assert again.returncode == 0, again.stderr
    # No file is read again: the texts in the ledger get new vectors.
    assert json.loads(again.stdout)["unchanged"] == 1
    assert ragcli("search", "words", cwd=folder).returncode == 0


def test_what_is_not_better_is_not_kept_and_that_is_no_failure(ragcli: Run, tmp_path: Path) -> None:
    folder = project(tmp_path / "project")
    before = (folder / "ragcli.yaml").read_text()
    data = examples(folder / "data.jsonl", learnable=False)
    done = ragcli("finetune-embedder", str(data), *FAST, cwd=folder)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert not told["kept"] and told["reason"]
    assert (folder / "ragcli.yaml").read_text() == before
    assert not (folder / ".ragcli" / "models").exists()
    assert not (folder / ".ragcli" / "finetuning" / "default" / "tuned").exists()


def interrupt(command: tuple[str, ...], at: str, folder: Path, environ: dict[str, str]) -> None:
    """Run until these words are said, and interrupt as a terminal does."""
    with subprocess.Popen(
        [sys.executable, "-m", "ragcli", *command],
        env=environ, cwd=folder, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        # A shell ignores SIGINT for what it starts in the background, perhaps these very tests.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as child:  # fmt: skip
        assert child.stderr
        spoken = ""
        while at not in spoken and (line := child.stderr.readline()):
            spoken += line
        os.killpg(child.pid, signal.SIGINT)
        out, rest = child.communicate(timeout=120)
    assert (child.returncode, out) == (130, ""), spoken + rest
    assert "Traceback" not in rest and "go on with --resume" in rest


def test_an_interrupted_run_goes_on_where_it_was(
    ragcli: Run, tmp_path: Path, cache_dir: Path
) -> None:
    folder = project(tmp_path / "project")
    examples(folder / "data.jsonl", learnable=True)
    more = ("--max-steps", "120", "--patience", "9")
    command = ("finetune-embedder", "data.jsonl", *FAST[:-1], *more)
    interrupt(command, "of step", folder, environment(tmp_path / "home", cache_dir))
    assert not (folder / ".ragcli" / "models").exists()

    work = folder / ".ragcli" / "finetuning" / "default" / "tuned"
    checkpoints = (work / "checkpoints").glob("checkpoint-*")
    last = max(int(path.name.rpartition("-")[2]) for path in checkpoints)
    assert 24 <= last < 120
    held = {path: path.stat().st_mtime for path in work.rglob("*")}
    for arguments, why in (
        (("typo.jsonl", "--estimate"), "There is no training data"),
        (("typo.jsonl", "--restart"), "There is no training data"),
        (command[1:], f"A run was interrupted at step {last}, and can go on.\n"),
        ((*command[1:], "--resume", "--seed", "3"), "was begun with seed 7, not 3"),
    ):
        refused = ragcli("finetune-embedder", *arguments, cwd=folder)
        assert refused.returncode == 2 and why in refused.stderr, refused.stderr
    estimated = ragcli(*command, "--estimate", cwd=folder)
    assert estimated.returncode == 0, estimated.stderr
    assert "to embed the corpus with the result and ask again;" in estimated.stderr
    assert held == {path: path.stat().st_mtime for path in work.rglob("*")}
    done = ragcli(*command, "--resume", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in work.parent.iterdir() if path.is_dir()] == []
    steps = [
        int(line.rpartition("of step ")[2].partition(":")[0])
        for line in done.stderr.splitlines()
        if "of step" in line
    ]
    assert steps == [step for step in (24, 48, 72, 96, 120) if step > last]
    told = json.loads((folder / ".ragcli" / "models" / "tuned" / "finetuning.json").read_text())
    assert [step for step, _ in told["training"]["history"]] == [24, 48, 72, 96, 120]


def test_a_run_goes_on_that_was_interrupted_while_it_was_judged(
    ragcli: Run, tmp_path: Path, cache_dir: Path
) -> None:
    folder = project(tmp_path / "project")
    examples(folder / "data.jsonl", learnable=True)
    command = ("finetune-embedder", "data.jsonl", *FAST[:-1])
    environ = environment(tmp_path / "home", cache_dir)
    interrupt(command, "A map for questions on top", folder, environ)
    done = ragcli(*command, "--resume", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["kept"], told["reason"]
    assert told["proof"]["dense"]["before"] < 0.2


def test_what_would_fail_after_the_training_is_refused_before_it(
    ragcli: Run, tmp_path: Path
) -> None:
    folder = project(tmp_path / "project")
    examples(folder / "data.jsonl", learnable=True)
    command = ("finetune-embedder", "data.jsonl")
    (folder / "brief.yaml").write_text(f"embedder: {{model: {folder / 'base'}, backend: onnx}}\n")
    for options, why in (
        (("--loss", "nonsense"), "There is no loss called 'nonsense'"),
        (("--matryoshka", "16,9999"), "--matryoshka 9999 is more than the 32 numbers"),
        (("--config", "default"), "'default' is not a file of yours to change"),
        (("--config", "brief.yaml"), "brief.yaml is written in a way that is not changed by"),
        (("--mode", "adapter", "--estimate"), "--estimate is for --mode full"),
        (("--resume", "--restart"), "--resume goes on, --restart begins anew"),
    ):
        refused = ragcli(*command, *options, cwd=folder)
        assert refused.returncode == 2 and why in refused.stderr, refused.stderr
        assert "questions" not in refused.stderr
    assert not (folder / ".ragcli" / "finetuning" / "default" / "tuned").exists()


def test_an_adapter_embeds_nothing_again(ragcli: Run, tmp_path: Path) -> None:
    folder = project(tmp_path / "project")
    data = examples(folder / "data.jsonl", learnable=True)
    general = beir(folder / "general")
    command = ("finetune-embedder", str(data), "--mode", "adapter", "--push-to-hub", "me/map")
    for options, said in ((("--offline",), "needs the network"), ((), "needs a token")):
        refused = ragcli(*command, *options, cwd=folder)
        assert refused.returncode == 2 and said in refused.stderr
    with loopback(Hub()) as hub:
        env = {"HF_ENDPOINT": hub.url, "HF_TOKEN": "hf_secret", "HF_HUB_OFFLINE": "0"}
        done = ragcli(*command, "--general", str(general), "--json", cwd=folder, env=env)
    assert done.returncode == 0, done.stderr
    assert hub.asked[0].body["visibility"] == "private"
    sent = [line["value"]["path"] for line in hub.asked[-1].body["lines"][1:]]
    assert sorted(sent) == ["README.md", "finetuning.json", "query_adapter.npy"]
    told = json.loads(done.stdout)
    assert told["kept"], told["reason"]
    assert told["proof"]["general_set"] == "general"
    assert told["proof"]["general"]["questions"] == 30
    (folder / "notes.md").write_text("The tide is in the log.\n")
    assert ragcli("ingest", "notes.md", cwd=folder).returncode == 0
    assert 'query_adapter: "./.ragcli/models/tuned"' in (folder / "ragcli.yaml").read_text()
    assert ragcli("search", "tide", cwd=folder).returncode == 0

    result = Path(told["folder"])
    card = (result / "README.md").read_text()
    assert "A map for" in card and str(folder / "base") in card
    assert "as it is" not in card
    first = (result / "query_adapter.npy").read_bytes()
    taken = ragcli("finetune-embedder", str(data), "--name", "tuned", cwd=folder)
    assert taken.returncode == 2 and "There is a model called 'tuned' already" in taken.stderr
    again = ragcli("finetune-embedder", str(data), "--mode", "adapter", "--json", cwd=folder)
    assert json.loads(again.stdout)["name"] == "tuned-2"
    assert (result / "query_adapter.npy").read_bytes() == first


def test_rows_that_do_not_fit_are_named_and_useless_data_is_refused(
    ragcli: Run, tmp_path: Path
) -> None:
    folder = project(tmp_path / "project")
    (folder / "bad.jsonl").write_text('{"question": "a", "context": "b"}\n{"question": 3}\n')
    done = ragcli("finetune-embedder", "bad.jsonl", cwd=folder)
    assert done.returncode == 2
    assert "bad.jsonl:2: its 'question' is empty or no text" in done.stderr


def write_notes(folder: Path) -> list[str]:
    """Eighty notes; their titles."""
    draw = random.Random(5)
    words = [*ASKED, *ANSWERED]
    notes = folder / "notes"
    notes.mkdir()
    titles = []
    for number in range(80):
        sentences = [" ".join(draw.sample(words, 6)).capitalize() + "." for _ in range(5)]
        titles.append(f"{' '.join(draw.sample(words, 3))} {number}")
        (notes / f"{number}.md").write_text(f"# {titles[-1]}\n\n{' '.join(sentences)}\n")
    return titles


def test_without_data_questions_are_made_from_the_collection(ragcli: Run, tmp_path: Path) -> None:
    folder = project(tmp_path / "project")
    write_notes(folder)
    assert ragcli("ingest", "notes", cwd=folder).returncode == 0
    done = ragcli("finetune-embedder", "--max-steps", "4", *FAST, cwd=folder)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["shape"] == "documents" and told["recipe"]["loss"] == "gist"
    assert told["kept"] or told["reason"]
    few = ragcli("rm", "notes", cwd=folder)
    assert few.returncode == 0, few.stderr
    refused = ragcli("finetune-embedder", cwd=folder)
    assert refused.returncode == 2 and "0 questions can be made" in refused.stderr


def test_questions_of_ones_own_judge_in_place_of_made_ones(ragcli: Run, tmp_path: Path) -> None:
    folder = project(tmp_path / "project")
    titles = write_notes(folder)
    command = ("finetune-embedder", "--mode", "adapter", "--judge", "set.jsonl", "--json")
    refused = ragcli(*command, cwd=folder)
    assert refused.returncode == 2 and "There is no question set" in refused.stderr
    assert ragcli("ingest", "notes", cwd=folder).returncode == 0

    asked = [
        {"question": f"who wrote about {title}?", "document": f"notes/{number}.md"}
        for number, title in enumerate(titles[:12])
    ]
    # Of these one is trained on as well, one is about nothing that is here.
    asked.append({"question": titles[20], "document": "notes/20.md"})
    asked.append({"question": "what else?", "document": "gone.md"})
    lines = [json.dumps(line) for line in asked]
    (folder / "set.jsonl").write_text("\n".join(lines[:4]))
    refused = ragcli(*command, cwd=folder)
    assert refused.returncode == 2 and "set.jsonl has 4 questions to judge by" in refused.stderr

    (folder / "set.jsonl").write_text("\n".join(lines))
    done = ragcli(*command, cwd=folder)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["kept"] or told["reason"]
    assert "1 questions are also trained on" in done.stderr
    assert "the document 'gone.md' is not in the collection" in done.stderr
    if "proof" in told:
        assert told["proof"]["dense"]["questions"] == 12
        assert told["proof"]["seen"]["questions"] > 6

    # Examples about something else are trained on in a corpus of their own.
    examples(folder / "data.jsonl", learnable=True)
    done = ragcli("finetune-embedder", "data.jsonl", *command[1:], cwd=folder)
    assert done.returncode == 0, done.stderr
    proof = json.loads(done.stdout)["proof"]
    assert proof["dense"]["questions"] == proof["unseen"]["questions"] == 13
    assert "forgets will not be measured" in done.stderr and "--general SET" in done.stderr
