"""Own GPUs against hosts that sell tokens: what each costs at which volume."""
