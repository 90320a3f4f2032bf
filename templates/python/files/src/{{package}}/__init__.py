"""A first look at tables of data."""
