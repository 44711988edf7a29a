"""Make a whole tiny model with random weights: `… inside.modelling FOLDER dense|moe`.

Transformers writes it, so that configuration and names of tensors are those of the family.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from transformers import Qwen3Config, Qwen3ForCausalLM, Qwen3MoeConfig, Qwen3MoeForCausalLM

from support.engine.inside import tokenizing

SHAPE = {
    "vocab_size": tokenizing.VOCABULARY,
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 64,
    "max_position_embeddings": 40_960,
    "tie_word_embeddings": True,
    "bos_token_id": None,
    "eos_token_id": tokenizing.SPECIAL.index("<|im_end|>"),
}
EXPERTS = {
    "num_experts": 8,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 64,
    "norm_topk_prob": True,
}


def main() -> None:
    """Write config.json, model.safetensors and the tokenizer into the folder."""
    folder, kind = Path(sys.argv[1]), sys.argv[2]
    torch.manual_seed(3)
    model = (
        Qwen3MoeForCausalLM(Qwen3MoeConfig(**SHAPE, **EXPERTS))
        if kind == "moe"
        else Qwen3ForCausalLM(Qwen3Config(**SHAPE))
    )
    model.to(torch.bfloat16).save_pretrained(folder)
    tokenizing.write(folder)


if __name__ == "__main__":
    main()
