"""Code completion from any model in any editor, as a language server."""

__version__ = "0.1.0"
