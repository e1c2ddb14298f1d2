"""Hints that something was committed. The change log is the truth; hints may be lost."""
