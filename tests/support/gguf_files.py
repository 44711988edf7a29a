"""GGUF files as the format's own Python package writes them; their data is a hole in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gguf
import numpy as np

from qwen3_planner.engines.llamacpp.semantics import architecture_of
from qwen3_planner.sizing.gguf import stored_tensors
from qwen3_planner.units import round_up

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from qwen3_planner.catalog.rows import ModelArchitecture
    from qwen3_planner.sizing.gguf import StoredTensor


def write_gguf(  # noqa: PLR0913 - each is a way in which files differ
    path: Path,
    model: ModelArchitecture,
    file_type: str = "Q4_K_M",
    *,
    stored: Iterable[StoredTensor] | None = None,
    tokens: Iterable[str] | None = None,
    split_tensors: int = 0,
) -> Path:
    """Write a file of a model; without tokens its vocabulary is nameless.

    Returns:
        The file, or the first part of a split one.
    """
    tensors = list(stored_tensors(model, file_type) if stored is None else stored)
    writer = gguf.GGUFWriter(path, architecture_of(model), split_max_tensors=split_tensors)
    _add_figures(writer, model, file_type)
    _add_vocabulary(writer, model, tokens)
    for each in tensors:
        kind = gguf.GGMLQuantizationType[each.kind.name]
        shape = tuple(reversed(each.tensor.shape))
        writer.add_tensor_info(
            each.tensor.name, shape, np.dtype(np.float16), each.n_bytes, raw_dtype=kind
        )
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    files = writer.fout or []
    for file, part in zip(files, writer.tensors, strict=True):
        file.flush()
        data = sum(round_up(info.nbytes, 32) for info in part.values())
        file.truncate(round_up(file.tell(), 32) + data)
    names = [file.name for file in files]
    writer.close()
    return path.with_name(min(names).rpartition("/")[2])


def _add_figures(writer: gguf.GGUFWriter, model: ModelArchitecture, file_type: str) -> None:
    writer.add_block_count(model.layers)
    writer.add_context_length(model.max_position_embeddings)
    writer.add_embedding_length(model.hidden_size)
    writer.add_feed_forward_length(model.intermediate_size)
    writer.add_head_count(model.attention_heads)
    writer.add_head_count_kv(model.kv_heads)
    writer.add_key_length(model.head_dim)
    writer.add_value_length(model.head_dim)
    writer.add_rope_freq_base(model.rope_theta)
    writer.add_layer_norm_rms_eps(1e-6)
    name = f"MOSTLY_{file_type}"
    writer.add_file_type(gguf.LlamaFileType[name])
    if model.is_moe:
        writer.add_expert_count(model.experts)
        writer.add_expert_used_count(model.experts_per_token)
        writer.add_expert_feed_forward_length(model.moe_intermediate_size)
    linear = model.linear_attention
    if linear is not None:
        writer.add_ssm_conv_kernel(linear.conv_kernel)
        writer.add_ssm_state_size(linear.key_head_dim)
        writer.add_ssm_group_count(linear.key_heads)
        writer.add_ssm_time_step_rank(linear.value_heads)
        writer.add_ssm_inner_size(linear.value_heads * linear.value_head_dim)
        writer.add_expert_shared_feed_forward_length(model.shared_expert_intermediate_size)
        writer.add_rope_dimension_count(int(model.head_dim * model.rotary_share))


def _add_vocabulary(
    writer: gguf.GGUFWriter, model: ModelArchitecture, tokens: Iterable[str] | None
) -> None:
    if tokens is None:
        writer.add_vocab_size(model.vocab_size)
        writer.add_tokenizer_model("no_vocab")
        return
    words = list(tokens)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(words)
    writer.add_token_types([gguf.TokenType.NORMAL] * len(words))
    writer.add_token_merges(["a b"])
    writer.add_eos_token_id(len(words) - 1)
