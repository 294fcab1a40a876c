"""Every page in a real browser: it opens offline, draws, fits, prints, is read and used without a mouse."""
