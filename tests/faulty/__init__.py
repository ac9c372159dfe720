"""Labs for the tests of the engine: two that do their work, one that does everything wrong."""
