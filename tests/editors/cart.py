"""A function that is begun in a menu's test, and what the model makes of it."""

from __future__ import annotations

from tests.editors.model_api import PROVIDER

SETTINGS = PROVIDER + '\n[completion]\nlength = "auto"\n'
ABOVE = "def total(cart):"
PAUSE_S = 1.0
BODY = "return sum(\n        item.price for item in cart\n    )"
