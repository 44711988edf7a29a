"""The edge: events become keys, keys become reconciles, and nothing else happens here."""
