"""Pages about support for people at a browser: for customers, for agents, and behind links."""
