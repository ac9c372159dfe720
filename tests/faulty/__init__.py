"""Labs for the tests of the engine: one that does its work, one that does everything wrong."""
