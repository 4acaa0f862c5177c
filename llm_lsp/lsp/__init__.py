"""The face: the only place that knows lsprotocol and pygls."""
