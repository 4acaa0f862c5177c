"""Model APIs: one dialect each, driven by one HTTP provider."""

import sys

# httpx brings a command line of its own, and with it rich and pygments: 6 MB, and half of the time of its import,
# which the first completion waits for. It goes without where that part is not there.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type] # None says that it cannot be imported
