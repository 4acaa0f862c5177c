"""Measures completion on a repository: cuts holes into its files, has them completed, and scores the answers."""
