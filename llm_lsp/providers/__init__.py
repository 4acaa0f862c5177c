"""Model APIs: a dialect for each wire format, and one HTTP provider that uses them."""

import sys

# httpx includes a command line that imports rich and pygments: 6 MB, and half of its import time, which the first
# completion waits for. httpx works without it if the import fails.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type] # None makes the import fail
