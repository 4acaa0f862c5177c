"""The pure part: values and functions without files, clocks, waiting, LSP or HTTP."""
