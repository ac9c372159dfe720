"""The pages and fragments of labs and runs."""
