"""Programs that the engine's own Python runs; nothing here imports the planner.

`answering` is one long-lived process that takes questions as JSON lines: it parses commands with
vLLM's parser, builds vLLM's configuration, and constructs vLLM's models on torch's meta device, as
any rank of any layout, on a GPU that is only described. `starting` starts the engine on the CPU.
"""
