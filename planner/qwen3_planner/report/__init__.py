"""Plan -> text, json, yaml or a Qwen3Deployment manifest."""
