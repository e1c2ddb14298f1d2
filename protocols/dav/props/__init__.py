"""The live properties."""
