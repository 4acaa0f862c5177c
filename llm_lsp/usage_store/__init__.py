"""The books on disk: what was asked, what it cost, and what became of it."""
