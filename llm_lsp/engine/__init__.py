"""Where a completion waits: cache, scheduler, pipeline; knows neither LSP nor HTTP."""
