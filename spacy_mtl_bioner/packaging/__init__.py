"""Does a wheel hold only what it may, and does it work where nothing else is new? ``check`` and ``payload``; the other
two files are programs for the fresh environment."""
