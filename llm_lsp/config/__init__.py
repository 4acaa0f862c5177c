"""Settings: their values, checks, sources and merging. Reads no files and no environment."""
