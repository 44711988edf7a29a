"""llama.cpp's server: its defaults by build, command line, container and metrics."""
