"""How fast a layout serves: prefill, decode, communication and queueing, each with its error."""
