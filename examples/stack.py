"""A small file to complete: `llm-lsp complete examples/stack.py:24`."""


class Stack:
    """Last in, first out."""

    def __init__(self):
        self.items = []

    def push(self, item):
        """Put an item on top."""
        self.items.append(item)

    def pop(self):
        """Remove and return the item on top."""
        return self.items.pop()

    def is_empty(self):
        """Return whether the stack is empty."""
        return len(self.items) == 0

    def size(self):
        """Count the items."""
        return
