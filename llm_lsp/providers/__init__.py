"""Model APIs: one dialect each, all driven by one HTTP provider."""
