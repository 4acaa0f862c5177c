"""One module per wire format, named as in the settings; each defines `DIALECT`."""
