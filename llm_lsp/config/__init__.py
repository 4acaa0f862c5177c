"""Settings: values, parsing and merging; reads no file and no environment."""
