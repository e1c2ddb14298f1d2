"""Finding the settings of an account: what programs ask before anybody signs in."""
