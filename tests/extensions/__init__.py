"""What a user adds from outside: each in one file, which nothing in rdsim knows of, and used to its end."""
