"""Stores calls, costs and accepted suggestions on disk."""
