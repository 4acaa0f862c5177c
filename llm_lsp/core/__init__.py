"""The pure part: values and functions without files, clocks, async code, LSP or HTTP."""
