"""Models on this machine: the catalogue, fetching, the server process."""
