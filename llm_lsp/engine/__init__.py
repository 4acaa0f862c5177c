"""The asynchronous part: from a request to a provider and back."""
