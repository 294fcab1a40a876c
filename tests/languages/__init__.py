"""Languages: catalogues are complete, and what is told in them."""
