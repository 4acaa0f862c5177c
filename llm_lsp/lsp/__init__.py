"""The language server protocol; only this package imports lsprotocol and pygls."""
