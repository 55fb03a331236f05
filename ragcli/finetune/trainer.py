"""Sets up sentence-transformers' trainer for this machine: precision, batches, checkpoints, stopping.

Runs in the training child only.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from sentence_transformers import (
    SentenceTransformerTrainer,
    SentenceTransformerTrainingArguments,
)
from transformers import EarlyStoppingCallback, TrainerCallback

from ragcli.finetune import losses
from ragcli.finetune.batches import Apart
from ragcli.finetune.dataset import Facts, open_rows
from ragcli.finetune.development import METRIC, Development
from ragcli.finetune.order import CHECKPOINTS, Order
from ragcli.finetune.slices import Sliced

if TYPE_CHECKING:
    from ragcli.finetune.child import Stop, Voice

LORA_ALPHA = 2
KEPT = 2
MEASURED = f"eval_{METRIC}"


class Trainer(SentenceTransformerTrainer):  # type: ignore[misc]
    """The library's trainer, less the model card that quotes training rows."""

    def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
        """A card is written at the end, by others, without rows."""

    def compute_loss(self, *arguments: Any, **named: Any) -> Any:
        """The loss of one step."""
        self.model.begin_step()
        return super().compute_loss(*arguments, **named)

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        folder = output_dir or self.args.output_dir
        self.model.save_pretrained(folder, create_model_card=False)


class Watch(TrainerCallback):  # type: ignore[misc]
    """Tells the parent of steps and measurements, and ends the run when it is asked to."""

    def __init__(self, order: Order, voice: Voice, stop: Stop) -> None:
        self._order, self._voice, self._stop = order, voice, stop
        self.examples = 0

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """A step is done."""
        self.examples += args.train_batch_size
        self._voice.say(step=state.global_step, steps=state.max_steps)
        if self._order.stop_after and state.global_step >= self._order.stop_after:
            self._stop.asked = True
        if self._stop.asked:
            control.should_save = True
            control.should_evaluate = False
            control.should_training_stop = True

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any, **_: Any) -> None:
        """The development questions were measured."""
        self._voice.say(evaluated=state.global_step, ndcg=float(metrics[MEASURED]))


@dataclass(slots=True)
class Run:
    """The parts of one training."""

    model: Any
    trainer: Any
    evaluator: Development
    watch: Watch
    precision: str
    order: Order
    lora: Any = field(default=None)

    @property
    def history(self) -> list[tuple[int, float]]:
        """The steps that were measured, those before an interrupt too, with what was found."""
        log = self.trainer.state.log_history
        return [(entry["step"], entry[MEASURED]) for entry in log if MEASURED in entry]

    def plain_weights(self) -> dict[str, Any]:
        """All weights of the model as they are, without what LoRA adds, by name."""
        state: dict[str, Any] = self.model.state_dict()
        return {
            name.replace(".base_layer.", "."): tensor
            for name, tensor in state.items()
            if ".lora_" not in name
        }

    def encoder_weights(self, *, lora: bool) -> dict[str, Any]:
        """The weights of the transformer as a checkpoint names them."""
        encoder = self.model[0].auto_model
        if lora:
            from peft import get_peft_model_state_dict

            found: dict[str, Any] = get_peft_model_state_dict(encoder)
            return {**found, **{f"base_model.model.{name}": value for name, value in found.items()}}
        return dict(encoder.state_dict())

    def merge(self) -> None:
        """Put what LoRA learned into the weights: what ships loads without peft."""
        if self.order.lora:
            self.model = _unwrapped(self.model, self.order)

    def save(self, folder: Path) -> None:
        """Save in float32 as sentence-transformers loads it."""
        shutil.rmtree(folder, ignore_errors=True)
        self.model.float().save_pretrained(str(folder), create_model_card=False)


def make(order: Order, voice: Voice, stop: Stop) -> Run:
    """Model, data, loss and trainer as ordered."""
    torch.set_num_threads(order.threads)
    torch.manual_seed(order.seed)
    cuda = torch.cuda.is_available()
    half = precision(order.precision, cuda=cuda)
    model = load(order.folder, cuda=cuda)
    if "cached" not in order.loss:
        model.allow(half)
    if order.lora:
        _add_lora(model, order.lora)
    guide = load(order.folder, cuda=cuda) if "gist" in order.loss else None
    work = Path(order.work)
    dataset, facts = open_rows(Path(order.rows), work / "rows.arrow")
    evaluator = Development(
        Path(order.development), order.document_prompt, order.query_prompt, half
    )
    watch = Watch(order, voice, stop)
    sampler = _sampler(order, facts)
    arguments = _arguments(order, len(sampler), half, dataset.column_names, cuda=cuda)
    arguments.batch_sampler = lambda *_, **__: sampler
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=dataset,
        loss=losses.build(order.loss, model, guide, order.matryoshka),
        evaluator=evaluator,
        callbacks=[watch, EarlyStoppingCallback(order.patience)],
    )
    return Run(model, trainer, evaluator, watch, half, order)


def load(folder: str, *, cuda: bool) -> Sliced:
    """The model in float32; on a processor without dropout in attention, which leaves the fast path."""
    config = {} if cuda else {"attention_probs_dropout_prob": 0.0, "attention_dropout": 0.0}
    return Sliced(
        folder,
        device="cuda" if cuda else "cpu",
        local_files_only=True,
        trust_remote_code=False,
        model_kwargs={"dtype": torch.float32, "use_safetensors": True},
        config_kwargs=config,
    )


def precision(wanted: str, *, cuda: bool) -> str:
    """`bf16` where the hardware computes in it, else `fp32`."""
    if wanted != "auto":
        return wanted
    if cuda:
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return "fp32"
    return "bf16" if "avx512_bf16" in flags or "amx_bf16" in flags else "fp32"


def _sampler(order: Order, facts: Facts) -> Apart:
    return Apart(
        facts,
        order.batch,
        order.seed,
        apart=losses.LOSSES[order.loss] == "ranked",
        classes=order.classes,
    )


def _arguments(order: Order, per_epoch: int, half: str, columns: list[str], *, cuda: bool) -> Any:
    steps = order.most_steps if order.most_steps > 0 else max(1, round(per_epoch * order.epochs))
    every = max(1, -(-steps // max(order.evaluations, 1)))
    prompts = {
        name: order.query_prompt if name == "text_0" else order.document_prompt for name in columns
    }
    return SentenceTransformerTrainingArguments(
        output_dir=str(Path(order.work) / CHECKPOINTS),
        per_device_train_batch_size=order.batch,
        max_steps=steps,
        learning_rate=order.learning_rate,
        warmup_steps=order.warmup,
        seed=order.seed,
        data_seed=order.seed,
        use_cpu=not cuda,
        bf16=half == "bf16",
        eval_strategy="steps",
        save_strategy="steps",
        eval_steps=every,
        save_steps=every,
        save_total_limit=KEPT,
        load_best_model_at_end=True,
        restore_callback_states_from_checkpoint=True,
        metric_for_best_model=MEASURED,
        greater_is_better=True,
        logging_strategy="steps",
        logging_steps=every,
        report_to=order.log_to or "none",
        disable_tqdm=True,
        dataloader_num_workers=0,
        dataloader_pin_memory=cuda,
        prompts={name: text for name, text in prompts.items() if text and name != "label"} or None,
    )


def _add_lora(model: Any, rank: int) -> None:
    from peft import LoraConfig, TaskType

    model.add_adapter(
        LoraConfig(
            task_type=TaskType.FEATURE_EXTRACTION,
            r=rank,
            lora_alpha=LORA_ALPHA * rank,
            lora_dropout=0.05,
            target_modules="all-linear",
        )
    )


def _unwrapped(model: Any, order: Order) -> Any:
    """The model with LoRA's products added to its weights: W + (alpha / r) B A."""
    state = model.state_dict()
    plain = load(order.folder, cuda=False)
    weights = plain.state_dict()
    with torch.no_grad():
        for name, tensor in state.items():
            if ".lora_A." not in name:
                continue
            layer = name.split(".lora_A.")[0]
            second = state[name.replace(".lora_A.", ".lora_B.")]
            weights[f"{layer}.weight"] += (LORA_ALPHA * (second @ tensor)).cpu()
    return plain
