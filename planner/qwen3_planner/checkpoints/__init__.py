"""Files of weights on this machine: what their headers say, without reading a weight. I/O."""
