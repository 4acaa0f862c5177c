"""The command line. `wiring` builds the engine from files and environment; `commands` has one module per
command.
"""
