"""The command line: one module a command; reads files and environment, builds everything, hands it down."""
