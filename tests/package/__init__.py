"""The package as others get it: built, installed outside the repository, and tried there; `make wheel`."""
