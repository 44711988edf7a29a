"""Are the things people say about Qwen3 true? Judged by the planner, with the arithmetic."""
