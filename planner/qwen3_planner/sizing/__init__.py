"""One formula a function: tensors, weights, KV cache, activation, overhead."""
