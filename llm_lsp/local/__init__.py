"""Models on this machine: the catalogue, downloads, and the model server's process."""
