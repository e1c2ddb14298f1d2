"""Many people at work for minutes or hours, each of whom checks all that the server says."""
