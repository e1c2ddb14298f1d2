"""The methods, one module each or for those that belong together."""
