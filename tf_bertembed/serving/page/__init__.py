"""A page where a person tries the models of a server."""
