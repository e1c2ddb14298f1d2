"""Tests that need what `make e2e` installs, but drive no program of others."""
