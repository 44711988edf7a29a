"""SGLang: its memory defaults, layouts, flags and container by version."""
