"""Addresses of labs, runs and pictures."""
