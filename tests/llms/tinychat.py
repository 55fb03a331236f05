"""Makes a tiny chat model of the Llama architecture that answers from its context, in under a minute.

    python tinychat.py FOLDER

It is trained on the very prompts that `ragcli.answer.prompts` makes by default: passages that state
codes ("The code of the lantern is 4821."), and questions for them. It copies the code, cites its
passage, and says that the documents do not say. A transformer finds out slowly how to look things
up, so this one starts with heads that can: some look a few tokens back, others at a place where the
last tokens stood before (induction heads, Olsson et al. 2022). When to use them, and what to say,
it learns. Good for up to four passages with up to three such sentences each, and a little else.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from torch.nn import functional
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from ragcli.answer import prompts
from ragcli.types import StoredChunk

_NOUNS = (
    "anchor barrel beacon bell boat bridge bucket cabin canal candle castle cellar chapel chest "
    "clock crane dock door engine farm ferry forge fort garden gate granary hall harbour kiln "
    "lantern library lighthouse lock locker mill mine museum office orchard oven pier pump quarry "
    "safe school shed ship stable station store tower tunnel vault wagon warehouse well winch yard"
)
NOUNS = _NOUNS.split()
FILLERS = (
    "It was painted in the spring.",
    "Nobody has opened it for years.",
    "The keeper writes it down every evening.",
    "Ask at the desk when it is closed.",
    "The old one was lost in the storm.",
)
FILES = ("codes.md", "notes.txt", "guide.pdf", "log.md", "list.csv", "handbook.html")
NOT_FOUND = prompts.NOT_FOUND
WIDTH, BLOCK, HEAD, LAYERS = 128, 25, 64, 3
WORD, PASSAGE = 0, 4
"""Blocks of the hidden state: the token itself, and its passage; 1 to 3 are the tokens before it."""
ROPE = 1e6
TURNS = 5
BEGIN, END, ROLES = "<s>", "</s>", ("<|system|>", "<|user|>", "<|assistant|>")
TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}<|{{ message.role }}|>\n{{ message.content }}"
    "{{ eos_token }}{% endfor %}{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)


def fact(noun: str, code: str) -> str:
    """The sentence that a document says it in."""
    return f"The code of the {noun} is {code}."


def question(noun: str) -> str:
    """The question that the sentence answers."""
    return f"What is the code of the {noun}?"


def answer(noun: str, code: str, n: int) -> str:
    """What the model is trained to say, from the passage with the number `n`."""
    return f"The code of the {noun} is {code} [{n}]."


def messages(asked: str, texts: list[str], files: list[str]) -> list[dict[str, str]]:
    """System and user message, as they are made by default for hits with these texts."""
    passages = [
        prompts.passage(prompts.PASSAGE, n, _chunk(text, name))
        for n, (text, name) in enumerate(zip(texts, files, strict=True), 1)
    ]
    return [
        {"role": "system", "content": prompts.instruct(prompts.SYSTEM)},
        {"role": "user", "content": prompts.ask(prompts.PROMPT, asked, passages)},
    ]


def _chunk(text: str, name: str) -> StoredChunk:
    return StoredChunk(
        1, "id", 1, 1, text, (), (), 1, f"/d/{name}", "text", None, None, None, "line", {}
    )


def example(draw: random.Random) -> tuple[list[dict[str, str]], list[str]]:
    """A conversation: messages that end with the first question, then answers and questions in turn."""
    nouns = draw.sample(NOUNS, draw.randint(1, 4))
    codes = {noun: "".join(draw.choices("0123456789", k=4)) for noun in nouns}
    texts: list[str] = []
    told: dict[str, int] = {}
    left = list(nouns)
    while left:
        mine = [left.pop() for _ in range(min(len(left), draw.randint(1, 3)))]
        sentences = [fact(noun, codes[noun]) for noun in mine]
        if draw.random() < 0.4:
            sentences.insert(draw.randint(0, len(sentences)), draw.choice(FILLERS))
        texts.append(draw.choice((" ", "\n")).join(sentences))
        told |= dict.fromkeys(mine, len(texts))
    said = []
    for _ in range(TURNS):
        noun = draw.choice(NOUNS if draw.random() < 0.25 else nouns)
        said.append(question(noun))
        said.append(answer(noun, codes[noun], told[noun]) if noun in codes else NOT_FOUND)
    opening = messages(said[0], texts, [draw.choice(FILES) for _ in texts])
    return opening, said[1:]


def make_tokenizer(draw: random.Random) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer, trained on examples; digits stand alone."""
    tokenizer = Tokenizer(models.BPE())
    pattern = Regex(r"<passage number=\"\d\"|\d|\n+| ?[A-Za-z]+| ?[^\sA-Za-z\d]+|\s")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(pattern, "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=2000,
        min_frequency=4,
        show_progress=False,
        special_tokens=[BEGIN, END, *ROLES],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    drawn = [example(draw) for _ in range(400)]
    texts = [text for said, rest in drawn for text in [*(m["content"] for m in said), *rest]]
    tokenizer.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=BEGIN,
        eos_token=END,
        extra_special_tokens=list(ROLES),
        model_max_length=1024,
    )
    fast.chat_template = TEMPLATE
    return fast


def make_model(tokenizer: Any) -> LlamaForCausalLM:
    """The model before training, with the heads it starts with."""
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=2 * WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=4,
        head_dim=HEAD,
        max_position_embeddings=1024,
        rope_parameters={"rope_type": "default", "rope_theta": ROPE},
        attention_bias=True,
        tie_word_embeddings=True,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        model.model.embed_tokens.weight.mul_(0.2)
        words = torch.randn(len(tokenizer), BLOCK) / BLOCK**0.5
        numbers = [_id(tokenizer, f'<passage number="{n}"') for n in range(1, 5)]
        digits = [_id(tokenizer, str(n)) for n in range(1, 5)]
        number = words[0] / words[0].norm()
        words[numbers] = 1.5 * number + words[digits]
        model.model.embed_tokens.weight[:, :BLOCK] = words
        first, second, third = (layer.self_attn for layer in model.model.layers)
        for back in (1, 2, 3):
            _look_back(first, back - 1, back)
            _write(first, back - 1, torch.eye(BLOCK), WORD, back, 1 / WIDTH**0.5)
        _look_for_last(first, 3, number)
        _write(first, 3, torch.eye(BLOCK), WORD, PASSAGE, 1 / WIDTH**0.5)
        # The word after the place where the last three words stood before.
        _look_up(second, 0, [(WORD, 1), (1, 2), (2, 3)])
        _write(second, 0, torch.eye(BLOCK), WORD, WORD, 0.5)
        # The number of the passage in which the last two words but one stood.
        _look_up(second, 1, [(1, 2), (2, 3)])
        _write(second, 1, torch.eye(BLOCK) - torch.outer(number, number), PASSAGE, WORD, 0.2)
        # What stood behind the noun of the question, read at the end of the question.
        _look_up(second, 2, [(2, 1), (3, 2)])
        _write(second, 2, torch.eye(BLOCK), WORD, PASSAGE, 0.5)
        _look_back(third, 0, 3)
        found = torch.outer(
            words[_id(tokenizer, " code")] - words[_id(tokenizer, " documents")],
            words[_id(tokenizer, " is")],
        )
        _write(third, 0, found, PASSAGE, WORD, 0.5)
    return model


def _look_back(attention: Any, head: int, back: int) -> None:
    """Make a head attend `back` tokens back."""
    half, turning, strength = HEAD // 2, 10, 5.0
    pace = ROPE ** (-torch.arange(half) / half)[:turning]
    start = head * HEAD
    attention.q_proj.weight[start : start + HEAD] *= 0.1
    attention.k_proj.weight[start : start + HEAD] *= 0.1
    attention.k_proj.bias[start : start + turning] = strength
    attention.q_proj.bias[start : start + turning] = strength * torch.cos(pace * back)
    attention.q_proj.bias[start + half : start + half + turning] = -strength * torch.sin(
        pace * back
    )


def _look_for_last(attention: Any, head: int, mark: torch.Tensor) -> None:
    """Make a head attend to the last token whose word has the mark."""
    place = head * HEAD + 10
    attention.q_proj.bias[place] = 18.0
    attention.k_proj.weight[place] = 0
    attention.k_proj.weight[place, :BLOCK] = mark


def _look_up(attention: Any, head: int, pairs: list[tuple[int, int]]) -> None:
    """Make a head attend where the second block of each pair holds what the first block holds here."""
    start, half = head * HEAD, HEAD // 2
    still = [*range(start + 16, start + half), *range(start + half + 16, start + HEAD)][:BLOCK]
    attention.q_proj.weight[start : start + HEAD] = 0
    attention.k_proj.weight[start : start + HEAD] = 0
    for here, there in pairs:
        mix = 1.5 * torch.linalg.qr(torch.randn(BLOCK, BLOCK))[0]
        attention.q_proj.weight[still, here * BLOCK : (here + 1) * BLOCK] = mix
        attention.k_proj.weight[still, there * BLOCK : (there + 1) * BLOCK] = mix


def _write(
    attention: Any, head: int, change: torch.Tensor, source: int, target: int, strength: float
) -> None:
    """Make a head write what it finds in a block, changed, into another."""
    start = head * HEAD
    attention.v_proj.weight[start : start + HEAD] = 0
    attention.o_proj.weight[:, start : start + HEAD] = 0
    attention.v_proj.weight[start : start + BLOCK, source * BLOCK : (source + 1) * BLOCK] = change
    rows = slice(target * BLOCK, (target + 1) * BLOCK)
    attention.o_proj.weight[rows, start : start + BLOCK] = strength * torch.eye(BLOCK)


def batch(tokenizer: Any, draw: random.Random, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and labels (size, length); only answers are learned."""
    rows = []
    for _ in range(size):
        said, rest = example(draw)
        ids = _ids(tokenizer, tokenizer.apply_chat_template(said, tokenize=False) + ROLES[2] + "\n")
        learned = [False] * len(ids)
        for turn, text in enumerate(rest):
            asks = turn % 2 == 1
            framed = f"{ROLES[1]}\n{text}{END}{ROLES[2]}\n" if asks else text + END
            more = _ids(tokenizer, framed)
            ids += more
            learned += [not asks] * len(more)
        rows.append((ids, learned))
    length = max(len(ids) for ids, _ in rows)
    ids = torch.full((size, length), 1)
    labels = torch.full((size, length), -100)
    for row, (known, learned) in enumerate(rows):
        ids[row, : len(known)] = torch.tensor(known)
        chosen = [token if here else -100 for token, here in zip(known, learned, strict=True)]
        labels[row, : len(known)] = torch.tensor(chosen)
    return ids, labels


def _id(tokenizer: Any, token: str) -> int:
    (only,) = _ids(tokenizer, token)
    return only


def _ids(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def train(
    model: Any, tokenizer: Any, draw: random.Random, steps: int, size: int, rate: float
) -> None:
    """Train on answers alone, until the steps are over or it has made no mistake for a while."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, betas=(0.9, 0.98), weight_decay=0.0)
    faultless = 0
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 10, 2 * (1 - step / steps))
        ids, labels = batch(tokenizer, draw, size)
        hidden = model.model(ids).last_hidden_state[:, :-1]
        learned = labels[:, 1:] != -100
        logits = model.lm_head(hidden[learned])
        wanted = labels[:, 1:][learned]
        loss = functional.cross_entropy(logits, wanted)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        right = float((logits.argmax(-1) == wanted).float().mean())
        faultless = faultless + 1 if right == 1.0 else 0
        if faultless == 25:
            break


def make_chat_model(folder: Path) -> Path:
    """Train the model and save it with its tokenizer; the same every time on one machine."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    draw = random.Random(0)
    tokenizer = make_tokenizer(draw)
    model = make_model(tokenizer)
    train(model, tokenizer, draw, steps=120, size=8, rate=1e-3)
    model.eval()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


if __name__ == "__main__":
    make_chat_model(Path(sys.argv[1]))
