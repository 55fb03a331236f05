"""The plain script that training speed is compared with: sentence-transformers' trainer as documented.

    python benchmarks/finetune_plain.py MODEL ROWS DEVELOPMENT STEPS BATCH OUT

ROWS is JSONL with `texts`: a question and a passage. DEVELOPMENT is what our child measures by: its
nDCG@10 is measured after the clock has stopped. Prints one line of JSON.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from datasets import Dataset
from sentence_transformers import (
    SentenceTransformer,
    SentenceTransformerTrainer,
    SentenceTransformerTrainingArguments,
)
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

from ragcli.finetune.development import Development


def main() -> None:
    """Train for some steps, print examples a second."""
    folder, rows, development, steps, batch, out = sys.argv[1:]
    lines = [json.loads(line)["texts"] for line in Path(rows).read_text().splitlines()]
    data = Dataset.from_dict(
        {"anchor": [line[0] for line in lines], "positive": [line[1] for line in lines]}
    )
    model = SentenceTransformer(folder, device="cpu", local_files_only=True)
    arguments = SentenceTransformerTrainingArguments(
        output_dir=out,
        per_device_train_batch_size=int(batch),
        max_steps=int(steps),
        learning_rate=2e-5,
        warmup_steps=0.1,
        use_cpu=True,
        report_to="none",
        save_strategy="no",
        disable_tqdm=True,
    )
    trainer = SentenceTransformerTrainer(
        model=model,
        args=arguments,
        train_dataset=data,
        loss=MultipleNegativesRankingLoss(model),
    )
    started = time.monotonic()
    trainer.train()
    seconds = time.monotonic() - started
    told = {
        "examples_per_second": int(steps) * int(batch) / seconds,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "ndcg": Development(Path(development), "", "").measure(model),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
