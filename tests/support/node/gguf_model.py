"""A tiny model of transformers as a GGUF file, weights, tokens and chat template alike."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import gguf
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

KIND = gguf.GGMLQuantizationType.Q8_0

NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
"""Of modules: transformers -> llama.cpp. Source: PyPI gguf 0.17, gguf/tensor_mapping.py."""


def convert(folder: Path, file: Path) -> None:
    """Write the dense model of a folder, whose embedding is tied, as Q8_0."""
    config = json.loads((folder / "config.json").read_text())
    writer = gguf.GGUFWriter(file, "qwen3")
    _add_figures(writer, config)
    _add_words(writer, folder, config["vocab_size"])
    for name, values in _tensors(folder / "model.safetensors"):
        if values.ndim == 1:
            writer.add_tensor(_renamed(name), values)
        else:
            writer.add_tensor(_renamed(name), gguf.quants.quantize(values, KIND), raw_dtype=KIND)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_figures(writer: gguf.GGUFWriter, config: Mapping[str, Any]) -> None:
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_key_length(config["head_dim"])
    writer.add_value_length(config["head_dim"])
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)


def _add_words(writer: gguf.GGUFWriter, folder: Path, count: int) -> None:
    """Add the tokens; those that the model has and the tokenizer lacks are never printed."""
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    described = json.loads((folder / "tokenizer_config.json").read_text())
    words = [f"[PAD{number}]" for number in range(count)]
    kinds = [gguf.TokenType.UNUSED] * count
    for word, number in tokenizer["model"]["vocab"].items():
        words[number], kinds[number] = word, gguf.TokenType.NORMAL
    for added in tokenizer["added_tokens"]:
        words[added["id"]] = added["content"]
        kinds[added["id"]] = gguf.TokenType.CONTROL
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(words)
    writer.add_token_types(kinds)
    writer.add_token_merges([" ".join(pair) for pair in tokenizer["model"]["merges"]])
    writer.add_eos_token_id(words.index(described["eos_token"]))
    writer.add_pad_token_id(words.index(described["pad_token"]))
    writer.add_add_bos_token(value=False)
    writer.add_chat_template(described["chat_template"])


def _tensors(file: Path) -> Iterator[tuple[str, NDArray[np.float32]]]:
    data = file.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    for name, tensor in json.loads(data[8:start]).items():
        if name == "__metadata__":
            continue
        begin, end = (start + place for place in tensor["data_offsets"])
        halves = np.frombuffer(data[begin:end], np.uint16)  # bf16: the upper half of an fp32
        values = (halves.astype(np.uint32) << 16).view(np.float32)
        yield name, values.reshape(tensor["shape"])


def _renamed(name: str) -> str:
    """Turn the name of a tensor into llama.cpp's.

    >>> _renamed("model.layers.1.mlp.up_proj.weight")
    'blk.1.ffn_up.weight'
    """
    module = name.removesuffix(".weight")
    if not module.startswith("model.layers."):
        return f"{NAMES[module]}.weight"
    number, _, part = module.removeprefix("model.layers.").partition(".")
    return f"blk.{number}.{NAMES[part]}.weight"
