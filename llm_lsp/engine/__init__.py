"""The asynchronous part: everything between a request and a provider."""
