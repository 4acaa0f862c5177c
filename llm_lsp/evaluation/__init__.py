"""Measures completion on a repository: holes cut into its files, filled by the pipeline, and scored."""
