"""How long tests wait for what must happen: longer than it takes on a machine that is busy with ten other things.

No test asserts how long anything took. The time limit of a test, in pyproject.toml, is longer still.
"""

PATIENCE_S = 60.0
