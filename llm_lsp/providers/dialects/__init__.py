"""One file a wire format, named as in the settings; each gives its `DIALECT`."""
