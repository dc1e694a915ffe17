"""Pre-registered studies: what is asked, how it is run, and what the rows must show for a verdict."""
